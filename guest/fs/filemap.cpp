// The page cache: finding, filling and dropping the pages of a file.
#include "guest/fs/address_space.hpp"
#include "guest/fs/inode.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/overcommit.hpp"

namespace guest {

PageRef find_get_page(address_space& mapping, uint64_t index) {
    const spinlock_guard guard(mapping.tree_lock);
    page* frame = mapping.pages.lookup(index);
    if (frame != nullptr) get_page(frame);
    return PageRef(frame);
}

namespace {

constinit Atomic<uint64_t> shmem_pages{0};

// Room for one page in the file system, given back unless it was used.
class Charge {
public:
    static Result<Charge> take(address_space& mapping) {
        if (is_promised_by_page(mapping)) TRY(shmem_acct_block());
        if (mapping.a_ops != nullptr && mapping.a_ops->charge != nullptr) {
            const Result<> room = mapping.a_ops->charge(*mapping.host);
            if (!room) {
                if (is_promised_by_page(mapping)) vm_unacct_memory(1);
                return room.error();
            }
        }
        return Charge(mapping);
    }
    Charge(Charge&& other) noexcept : mapping_(std::exchange(other.mapping_, nullptr)) {}
    Charge& operator=(Charge&&) = delete;
    ~Charge() {
        if (mapping_ != nullptr) give_back(*mapping_);
    }
    void keep() { mapping_ = nullptr; }
    static void give_back(address_space& mapping) {
        if (mapping.a_ops != nullptr && mapping.a_ops->uncharge != nullptr)
            mapping.a_ops->uncharge(*mapping.host);
        if (is_promised_by_page(mapping)) vm_unacct_memory(1);
    }

private:
    static bool is_promised_by_page(const address_space& mapping) {
        return mapping.is_shmem && mapping.promised == 0;
    }
    explicit Charge(address_space& mapping) : mapping_(&mapping) {}
    address_space* mapping_;
};

// Puts a filled page in the cache; if another task was faster, theirs is the result.
Result<PageRef> add_to_page_cache(address_space& mapping, uint64_t index, PageRef fresh) {
    const spinlock_guard guard(mapping.tree_lock);
    if (page* other = mapping.pages.lookup(index)) {
        get_page(other);
        return PageRef(other);
    }
    TRY(mapping.pages.insert(index, fresh.get()));
    fresh.get()->mapping = &mapping;
    fresh.get()->index = index;
    fresh.get()->is_shmem = mapping.is_shmem;
    if (mapping.is_shmem) shmem_pages.fetch_add(1);
    get_page(fresh.get());
    return fresh;
}

// The first page of [index, end) leaves the cache; the cache's reference goes to the caller.
PageRef take_next_page(address_space& mapping, uint64_t& index, uint64_t end = ~uint64_t{0}) {
    const spinlock_guard guard(mapping.tree_lock);
    page* frame = mapping.pages.next(index);
    if (frame == nullptr || index >= end) return PageRef();
    mapping.pages.remove(index);
    frame->mapping = nullptr;
    if (mapping.is_shmem) shmem_pages.fetch_sub(1);
    return PageRef(frame);
}

}  // namespace

uint64_t nr_shmem_pages() { return shmem_pages.load(); }

Result<PageRef> read_mapping_page(address_space& mapping, uint64_t index) {
    if (PageRef found = find_get_page(mapping, index)) {
        found.get()->is_fallocated = false;
        return found;
    }
    Charge charge = TRY(Charge::take(mapping));
    PageRef fresh(alloc_zeroed_page(FrameUse::PageCache));
    if (!fresh) return Errno::NoMem;
    if (mapping.a_ops != nullptr && mapping.a_ops->readpage != nullptr) {
        TRY(mapping.a_ops->readpage(*mapping.host, *fresh.get(), index));
    }
    page* const ours = fresh.get();
    PageRef cached = TRY(add_to_page_cache(mapping, index, std::move(fresh)));
    if (cached.get() == ours) charge.keep();
    return cached;
}

Result<PageRef> filemap_fault(address_space& mapping, uint64_t index) {
    if (index >= pages_for(static_cast<uint64_t>(mapping.host->i_size))) return Errno::Fault;
    return read_mapping_page(mapping, index);
}

void drop_page(address_space& mapping, uint64_t index) {
    if (const PageRef dropped = take_next_page(mapping, index, index + 1)) Charge::give_back(mapping);
}

namespace {

// [from, to) lies in one page.
void clear_part(address_space& mapping, uint64_t from, uint64_t to) {
    if (from == to) return;
    if (const PageRef frame = find_get_page(mapping, from / kPageSize))
        memset(frame.data() + from % kPageSize, 0, to - from);
}

}  // namespace

void punch_hole(address_space& mapping, abi::loff_t from_offset, abi::loff_t to_offset) {
    const auto from = static_cast<uint64_t>(from_offset);
    const auto to = static_cast<uint64_t>(to_offset);
    uint64_t first = pages_for(from);
    const uint64_t last = to / kPageSize;
    if (first > last) {
        clear_part(mapping, from, to);
        return;
    }
    clear_part(mapping, from, first * kPageSize);
    clear_part(mapping, last * kPageSize, to);
    if (first == last) return;
    unmap_mapping_range(mapping, first, last - first, Unmap::FilePages);
    while (const PageRef dropped = take_next_page(mapping, first, last)) Charge::give_back(mapping);
}

void truncate_inode_pages(address_space& mapping, abi::loff_t offset) {
    const auto from = static_cast<uint64_t>(offset);
    uint64_t index = pages_for(from);
    unmap_mapping_range(mapping, index);
    const uint64_t cut = from % kPageSize;
    if (cut != 0) {
        if (const PageRef partial = find_get_page(mapping, index - 1)) {
            memset(partial.data() + cut, 0, kPageSize - cut);
        }
    }
    while (const PageRef dropped = take_next_page(mapping, index)) Charge::give_back(mapping);
}

}  // namespace guest
