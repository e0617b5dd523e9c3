// The dentry cache: the tree of names in memory, and the hash table that finds a name in a directory.
#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"
#include "guest/lib/array.hpp"
#include "guest/lib/string.hpp"

namespace guest {

DEFINE_KMEM_CACHE(dentry)

constinit spinlock_t dcache_lock;

namespace {

constexpr size_t kBuckets = 1024;
constinit Array<list_head, kBuckets> dentry_hashtable;

list_head& bucket_of(const dentry* parent, uint32_t hash) {
    const auto mixed = (reinterpret_cast<uintptr_t>(parent) >> 6) * 0x9e3779b97f4a7c15U + hash;
    return dentry_hashtable[(mixed ^ mixed >> 32) % kBuckets];
}

// The functions below run with dcache_lock held.

void hash_locked(dentry& d) {
    BUG_ON(d.is_hashed());
    list_add(d.d_hash, bucket_of(d.d_parent.get(), d.d_name.hash));
    d.d_flags |= dentry::kHashed;
}

void unhash_locked(dentry& d) {
    list_del(d.d_hash);
    d.d_flags &= ~uint32_t{dentry::kHashed};
}

// A place at the end of the parent's list: readdir meets entries in the order in which they were made.
void link_locked(dentry& d) {
    dentry& parent = *d.d_parent;
    d.d_off = parent.d_next_off++;
    parent.d_subdirs.push_back(d);
}

bool has_name(const dentry& d, const dentry& parent, const qstr& name) {
    return d.d_parent.get() == &parent && d.d_name.hash == name.hash && d.d_name.len == name.len &&
           memcmp(d.d_name.name, name.name, name.len) == 0;
}

// The names change places; each goes on to point into its own dentry.
void swap_names_locked(dentry& a, dentry& b) {
    char kept[dentry::kInlineName];
    memcpy(kept, a.d_iname, sizeof(kept));
    memcpy(a.d_iname, b.d_iname, sizeof(kept));
    memcpy(b.d_iname, kept, sizeof(kept));
    std::swap(a.d_long_name, b.d_long_name);
    std::swap(a.d_name, b.d_name);
    a.d_name.name = a.d_long_name != nullptr ? a.d_long_name : a.d_iname;
    b.d_name.name = b.d_long_name != nullptr ? b.d_long_name : b.d_iname;
}

}  // namespace

qstr::qstr(const char* text, size_t length) : name(text), len(static_cast<uint32_t>(length)) {
    for (size_t i = 0; i < length; ++i) {
        hash = (hash ^ static_cast<uint8_t>(text[i])) * 0x01000193U;
    }
}

dentry::dentry(const dentry_operations* ops, RefPtr<inode> node)
    : d_inode(std::move(node)), d_sb(d_inode->i_sb.get()), d_op(ops), d_name(d_iname, 0), d_iname{} {}

dentry::dentry(dentry& parent, const qstr& name, char* long_name)
    : d_parent(&parent),
      d_sb(parent.d_sb),
      d_op(parent.d_op),
      d_name(name),
      d_long_name(long_name),
      d_iname{} {
    char* const own = long_name != nullptr ? long_name : d_iname;
    memcpy(own, name.name, name.len);
    d_name.name = own;
}

dentry::~dentry() {
    BUG_ON(!d_subdirs.empty() || is_hashed());
    kfree(d_long_name);
}

bool dentry::try_get() {
    int32_t count = d_count.load();
    while (count > 0) {
        if (d_count.compare_exchange(count, count + 1)) return true;
    }
    return false;
}

// A loop, not a recursion: a deep tree of forgotten directories goes from the leaf upwards.
void dentry::put() {
    dentry* dying = this;
    while (dying != nullptr) {
        const int32_t before = dying->d_count.fetch_sub(1);
        BUG_ON(before <= 0);
        if (before != 1) return;
        dentry* parent;
        {
            const spinlock_guard guard(dcache_lock);
            unhash_locked(*dying);
            dying->d_child.unlink();
            parent = dying->d_parent.leak();
        }
        delete dying;
        dying = parent;
    }
}

Result<RefPtr<dentry>> d_alloc(dentry& parent, const qstr& name) {
    char* long_name = nullptr;
    if (name.len > dentry::kInlineName) {
        long_name = static_cast<char*>(kmalloc(name.len));
        if (long_name == nullptr) return Errno::NoMem;
    }
    auto* d = new (nothrow) dentry(parent, name, long_name);
    if (d == nullptr) {
        kfree(long_name);
        return Errno::NoMem;
    }
    return RefPtr<dentry>::adopt(d);
}

Result<RefPtr<dentry>> d_make_root(RefPtr<inode> node, const dentry_operations* ops) {
    return make_ref<dentry>(ops, std::move(node));
}

RefPtr<dentry> d_lookup(dentry& parent, const qstr& name) {
    const spinlock_guard guard(dcache_lock);
    list_head& bucket = bucket_of(&parent, name.hash);
    for (list_head* at = bucket.next; at != &bucket; at = at->next) {
        dentry* d = list_entry<dentry, &dentry::d_hash>(at);
        if (has_name(*d, parent, name) && d->try_get()) return RefPtr<dentry>::adopt(d);
    }
    return nullptr;
}

void d_add(dentry& d, RefPtr<inode> node) {
    const spinlock_guard guard(dcache_lock);
    BUG_ON(!d.is_negative());
    d.d_inode = std::move(node);
    hash_locked(d);
    if (!d.is_negative()) link_locked(d);
}

void d_instantiate(dentry& d, RefPtr<inode> node) {
    const spinlock_guard guard(dcache_lock);
    BUG_ON(!d.is_negative() || !node);
    d.d_inode = std::move(node);
    link_locked(d);
}

void d_drop(dentry& d) {
    const spinlock_guard guard(dcache_lock);
    unhash_locked(d);
    d.d_child.unlink();
}

void d_move(dentry& d, dentry& target) {
    const spinlock_guard guard(dcache_lock);
    unhash_locked(d);
    unhash_locked(target);
    d.d_child.unlink();
    target.d_child.unlink();
    swap_names_locked(d, target);
    std::swap(d.d_parent, target.d_parent);
    hash_locked(d);
    link_locked(d);
}

void d_exchange(dentry& d, dentry& other) {
    const spinlock_guard guard(dcache_lock);
    unhash_locked(d);
    unhash_locked(other);
    d.d_child.unlink();
    other.d_child.unlink();
    swap_names_locked(d, other);
    std::swap(d.d_parent, other.d_parent);
    for (dentry* each : {&d, &other}) {
        hash_locked(*each);
        link_locked(*each);
    }
}

RefPtr<dentry> dget_parent(const dentry& d) {
    const spinlock_guard guard(dcache_lock);
    return d.is_root() ? RefPtr<dentry>(const_cast<dentry*>(&d)) : d.d_parent;
}

bool is_subdir(const dentry& d, const dentry& ancestor) {
    const spinlock_guard guard(dcache_lock);
    for (const dentry* at = &d; at != nullptr; at = at->d_parent.get()) {
        if (at == &ancestor) return true;
    }
    return false;
}

// Goes down to a leaf, lets it go, and begins again from its parent: no recursion, each name visited once on
// the way down and once on the way up.
void d_genocide(dentry& root) {
    dentry* at = &root;
    for (;;) {
        dentry* child;
        {
            const spinlock_guard guard(dcache_lock);
            child = at->d_subdirs.front();
        }
        if (child != nullptr) {
            at = child;
            continue;
        }
        if (at == &root) return;
        const RefPtr<dentry> parent = dget_parent(*at);
        d_drop(*at);
        at->put();
        at = parent.get();
    }
}

}  // namespace guest
