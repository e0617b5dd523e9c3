// How much a pipe holds: its ring of pages, and fcntl's commands that ask for it and change it.
#include "guest/fs/inode.hpp"
#include "guest/fs/pipe.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/lib/string.hpp"

namespace guest {

DEFINE_KMEM_CACHE(pipe_inode_info)

namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 31;

struct Ring {
    explicit Ring(size_t n) : pages(static_cast<page**>(kzalloc(n * sizeof(page*)))), count(n) {}
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() {
        for (size_t i = 0; pages != nullptr && i < count; ++i) {
            if (pages[i] != nullptr) put_page(pages[i]);
        }
        kfree(pages);
    }
    [[nodiscard]] page*& slot_of(uint64_t position) { return pages[position / kPageSize % count]; }

    page** pages;
    size_t count;
};

// Pages, a power of two. Inval.
Result<size_t> ring_size(uint64_t bytes) {
    if (bytes > kMostBytes) return Errno::Inval;
    uint64_t size = kPageSize;
    while (size < bytes) size *= 2;
    return static_cast<size_t>(size / kPageSize);
}

// Pages that the unread bytes begin, end and lie in.
size_t pages_in_use(const pipe_inode_info& pipe) {
    if (pipe.used() == 0) return 0;
    return static_cast<size_t>((pipe.head - 1) / kPageSize - pipe.tail / kPageSize + 1);
}

// The unread bytes go over into `ring`, which has room for them. NoMem: nothing has changed.
Result<> move_bytes(pipe_inode_info& pipe, Ring& ring) {
    // A full ring has its newest bytes in front of its oldest, in one page: they part.
    const bool shares = pages_in_use(pipe) > pipe.pages;
    const uint64_t last = pipe.head - 1;
    page* parted = nullptr;
    if (shares) {
        parted = alloc_page(FrameUse::Other);
        if (parted == nullptr) return Errno::NoMem;
        memcpy(page_address(parted), page_address(pipe.slot_of(last)), pipe.head % kPageSize);
    }
    const size_t whole = shares ? pipe.pages : pages_in_use(pipe);
    for (size_t i = 0; i < whole; ++i) {
        const uint64_t at = pipe.tail + i * kPageSize;
        ring.slot_of(at) = std::exchange(pipe.slot_of(at), nullptr);
    }
    if (shares) ring.slot_of(last) = parted;
    return {};
}

}  // namespace

pipe_inode_info::~pipe_inode_info() {
    for (size_t i = 0; i < pages; ++i) {
        if (ring[i] != nullptr) put_page(ring[i]);
    }
    kfree(ring);
}

pipe_inode_info* get_pipe_info(const file& f) {
    const bool opened = (f.f_mode & (file::kRead | file::kWrite)) != 0;
    return abi::is_fifo(f.node().i_mode) && opened ? f.node().i_pipe : nullptr;
}

size_t pipe_max_size = 256 * kPageSize;

Result<> set_pipe_max_size(uint64_t bytes) {
    pipe_max_size = TRY(ring_size(bytes)) * kPageSize;
    return {};
}

Result<OwnPtr<pipe_inode_info>> alloc_pipe_info() {
    size_t pages = pipe_inode_info::kPages;
    if (pages * kPageSize > pipe_max_size && !capable(kCapSysResource)) pages = pipe_max_size / kPageSize;
    auto pipe = TRY(make_owned<pipe_inode_info>());
    pipe->ring = static_cast<page**>(kzalloc(pages * sizeof(page*)));
    if (pipe->ring == nullptr) return Errno::NoMem;
    pipe->pages = pages;
    return pipe;
}

Result<long> pipe_get_size(file& f) {
    pipe_inode_info* pipe = get_pipe_info(f);
    if (pipe == nullptr) return Errno::BadF;
    const mutex_guard guard(pipe->lock);
    return static_cast<long>(pipe->capacity());
}

Result<long> pipe_set_size(file& f, uint64_t bytes) {
    pipe_inode_info* pipe = get_pipe_info(f);
    if (pipe == nullptr) return Errno::BadF;
    const mutex_guard guard(pipe->lock);
    const size_t wanted = TRY(ring_size(static_cast<uint32_t>(bytes)));
    if (wanted > pipe->pages && wanted * kPageSize > pipe_max_size && !capable(kCapSysResource))
        return Errno::Perm;
    if (pages_in_use(*pipe) > wanted) return Errno::Busy;
    Ring ring(wanted);
    if (ring.pages == nullptr) return Errno::NoMem;
    TRY(move_bytes(*pipe, ring));
    std::swap(pipe->ring, ring.pages);
    std::swap(pipe->pages, ring.count);
    // There may be room now.
    wake_up_all(pipe->wait);
    return static_cast<long>(pipe->capacity());
}

}  // namespace guest
