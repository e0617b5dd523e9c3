// See fs_fixture.hpp.
#include "tests/guest_fs/fs_fixture.hpp"

#include "guest/lib/spinlock.hpp"

namespace guest_fs_test {

namespace {

// What exists once in the kernel, not once in each test.
void bring_up_once() {
    static const bool done = [] {
        guest::mem_devices_init();
        EXPECT_OK(guest::pipefs_init());
        return true;
    }();
    (void)done;
}

struct NameCollector {
    guest::dir_context ctx;
    std::vector<std::string> names;
};

bool collect_name(guest::dir_context& ctx, const char* name, size_t length, uint64_t, uint8_t, abi::loff_t) {
    auto& collector = reinterpret_cast<NameCollector&>(ctx);
    const std::string text(name, length);
    if (text != "." && text != "..") collector.names.push_back(text);
    return true;
}

}  // namespace

void FsTest::SetUp() {
    bring_up_once();
    host_kernel::become(0, 0, true);
    host_kernel::fail_allocation(0);
    host_kernel::signals.clear();
    host_kernel::signal_is_pending = false;
    allocations_before_ = host_kernel::live_allocations();
    pages_before_ = host_kernel::live_pages();
    files_before_ = guest::files_open();
    auto root = guest::ramfs_type.mount(guest::ramfs_type, nullptr);
    ASSERT_TRUE(root.ok());
    auto ns = guest::create_mnt_ns(root.release_value());
    ASSERT_TRUE(ns.ok());
    ns_ = ns.release_value();
    root_ = guest::path(ns_->root, ns_->root->mnt_root);
    cwd_ = root_;
}

void FsTest::TearDown() {
    host_kernel::fail_allocation(0);
    cwd_ = guest::path();
    root_ = guest::path();
    ns_.reset();
    EXPECT_EQ(host_kernel::live_allocations(), allocations_before_) << "objects leaked";
    EXPECT_EQ(host_kernel::live_pages(), pages_before_) << "pages leaked";
    EXPECT_EQ(guest::files_open(), files_before_) << "file descriptions leaked";
    EXPECT_EQ(guest::held_spinlocks, 0);
}

guest::walk_start FsTest::at(const std::string& directory) {
    if (directory.empty()) return {root_, cwd_};
    auto found = find(directory);
    EXPECT_TRUE(found.ok()) << directory;
    return {root_, found.release_value()};
}

Result<guest::path> FsTest::find(const std::string& name, guest::lookup_flags flags) {
    return guest::path_lookup(at(), name.c_str(), flags);
}

Result<guest::RefPtr<guest::file>> FsTest::open(const std::string& name, uint32_t flags, abi::umode_t mode) {
    return guest::do_filp_open(at(), name.c_str(), flags, mode);
}

void FsTest::make_dir(const std::string& name, abi::umode_t mode) {
    EXPECT_OK(guest::vfs_mkdirat(at(), name.c_str(), mode)) << name;
}

void FsTest::make_file(const std::string& name, const std::string& contents) {
    auto f = open(name, abi::kOWrOnly | abi::kOCreat | abi::kOTrunc);
    ASSERT_OK(f) << name;
    if (contents.empty()) return;
    EXPECT_EQ(write_to(*f.value(), contents).value(), contents.size());
}

void FsTest::make_link(const std::string& name, const std::string& target) {
    EXPECT_OK(guest::vfs_symlinkat(at(), name.c_str(), target.c_str())) << name;
}

std::string FsTest::contents_of(const std::string& name) {
    auto f = open(name);
    EXPECT_OK(f) << name;
    return f.ok() ? read_all(*f.value()) : "";
}

abi::Stat FsTest::stat_of(const std::string& name) {
    abi::Stat stat{};
    auto found = find(name, {.follow = false});
    EXPECT_OK(found) << name;
    if (found.ok()) guest::vfs_getattr(*found.value().dentry->d_inode, stat);
    return stat;
}

std::string FsTest::path_of(const guest::path& place) {
    char buffer[abi::kPathMax];
    auto text = guest::d_path(place, root_, buffer, sizeof(buffer));
    EXPECT_OK(text);
    return text.ok() ? text.value() : "";
}

std::vector<std::string> FsTest::names_in(const std::string& name) {
    auto dir = open(name, abi::kORdOnly | abi::kODirectory);
    EXPECT_OK(dir) << name;
    NameCollector collector{{collect_name}, {}};
    if (!dir.ok()) return {};
    EXPECT_OK(guest::iterate_dir(*dir.value(), collector.ctx));
    return collector.names;
}

Result<> FsTest::link(const std::string& from, const std::string& to) {
    const guest::path old = TRY(find(from, {.follow = false}));
    return guest::vfs_linkat(old, at(), to.c_str());
}

std::string read_all(guest::file& f, size_t most) {
    std::string out(most, '\0');
    size_t done = 0;
    while (done < most) {
        guest::iov_iter to(out.data() + done, most - done);
        auto got = guest::vfs_read_at_pos(f, to);
        EXPECT_OK(got);
        if (!got.ok() || got.value() == 0) break;
        done += got.value();
    }
    out.resize(done);
    return out;
}

Result<size_t> write_to(guest::file& f, const std::string& bytes) {
    guest::iov_iter from(const_cast<char*>(bytes.data()), bytes.size());
    return guest::vfs_write_at_pos(f, from);
}

}  // namespace guest_fs_test
