// The page cache of one file: which frame holds which page of its contents. read and write copy from
// and to these frames, execve and mmap map them, so all see one and the same memory.
//
// References: the cache holds one on every page in it, every mapping and every lookup one of its own.
// A page leaves the cache by truncation alone; whoever still holds it keeps the frame, not the file.
#pragma once

#include <utility>

#include "guest/abi/file.hpp"
#include "guest/fs/page_tree.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/page.hpp"

namespace guest {

struct inode;

// A reference to a frame, put at the end of the scope.
class PageRef {
public:
    PageRef() = default;
    // Takes over the caller's reference; null is allowed.
    explicit PageRef(page* frame) : frame_(frame) {}
    PageRef(PageRef&& other) noexcept : frame_(other.leak()) {}
    PageRef& operator=(PageRef&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~PageRef() {
        if (frame_ != nullptr) put_page(frame_);
    }
    // Gives the reference to the caller, who must put it.
    [[nodiscard]] page* leak() { return std::exchange(frame_, nullptr); }
    [[nodiscard]] page* get() const { return frame_; }
    [[nodiscard]] char* data() const { return static_cast<char*>(page_address(frame_)); }
    explicit operator bool() const { return frame_ != nullptr; }

private:
    page* frame_ = nullptr;
};

struct address_space_operations {
    // Fills a fresh page, already cleared, with the file's bytes; null: leaves the zeros (a hole).
    Result<> (*readpage)(inode& host, page& frame, uint64_t index) = nullptr;
    // A page is about to enter the cache: NoSpc refuses it. Each charge is undone once, when it has left.
    Result<> (*charge)(inode& host) = nullptr;
    void (*uncharge)(inode& host) = nullptr;
};

struct address_space {
    inode* host = nullptr;
    const address_space_operations* a_ops = nullptr;
    bool is_shmem = false;  // of tmpfs, or shared memory without a name
    // Pages of shared memory that were promised when it was made (mm/overcommit.hpp), and end with it; 0:
    // each is when it comes.
    uint64_t promised = 0;
    // Of shared memory, abi::kSeal*: what may no longer be done to it. Changed with the host's i_mutex and
    // i_mmap_mutex held.
    uint32_t seals = abi::kSealSeal;
    // It may be neither written to nor mapped for that.
    [[nodiscard]] bool write_sealed() const {
        return is_shmem && (seals & (abi::kSealWrite | abi::kSealFutureWrite)) != 0;
    }
    [[nodiscard]] bool sealed_against(uint32_t seal) const { return is_shmem && (seals & seal) != 0; }

    spinlock_t tree_lock;
    page_tree pages;     // by index in the file, in pages
    mutex i_mmap_mutex;  // i_mmap; taken before page-table locks, never with tree_lock held
    list_head i_mmap;    // the areas that map this file (vm_area_struct::shared), for truncation
};

// The page in the cache, or null.
[[nodiscard]] PageRef find_get_page(address_space& mapping, uint64_t index);
// The page, filled first if it was not there. NoMem, Io.
Result<PageRef> read_mapping_page(address_space& mapping, uint64_t index);
// For a page fault of a file mapping: the same, but Errno::Fault (SIGBUS) past the end of the file.
Result<PageRef> filemap_fault(address_space& mapping, uint64_t index);

// Pages in the cache that are shared memory (address_space::is_shmem).
[[nodiscard]] uint64_t nr_shmem_pages();

// Takes the page out, if it is there. Nobody maps it.
void drop_page(address_space& mapping, uint64_t index);
// The bytes of [from, to) become zeros: whole pages are dropped, wherever they are mapped (private copies
// stay), parts of pages are cleared. The host's i_mutex is held.
void punch_hole(address_space& mapping, abi::loff_t from, abi::loff_t to);
// Drops every page from byte offset on, and clears the rest of the page that offset cuts. Mappings of the
// dropped part are unmapped first (unmap_mapping_range). The host's i_mutex is held, i_size already set.
void truncate_inode_pages(address_space& mapping, abi::loff_t offset);

}  // namespace guest
