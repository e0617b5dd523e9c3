// Mounts: what is seen through them, and what is left when they go.
#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

class MountTest : public FsTest {
protected:
    void SetUp() override {
        FsTest::SetUp();
        make_dir("/mnt");
        make_file("/mnt/below", "below");
    }
    Result<> mount_at(const std::string& where) {
        auto root = guest::tmpfs_type.mount(guest::tmpfs_type, nullptr);
        return guest::do_add_mount(root.release_value(), TRY(find(where)), 0);
    }
    Result<> umount(const std::string& where, guest::Umount how = guest::Umount::IfIdle) {
        return guest::do_umount(TRY(find(where)), how);
    }
};

TEST_F(MountTest, HidesWhatIsBelowUntilItGoes) {
    ASSERT_OK(mount_at("/mnt"));
    EXPECT_ERRNO(find("/mnt/below"), NoEnt);
    make_file("/mnt/inside", "inside");
    EXPECT_EQ(path_of(find("/mnt/inside").value()), "/mnt/inside");
    EXPECT_EQ(path_of(find("/mnt/..").value()), "/");
    EXPECT_EQ(path_of(find("/mnt/../mnt/inside").value()), "/mnt/inside");
    EXPECT_NE(stat_of("/mnt/inside").st_dev, stat_of("/").st_dev);
    EXPECT_ERRNO(rename("/mnt/inside", "/x"), XDev);
    EXPECT_ERRNO(link("/mnt/inside", "/x"), XDev);
    EXPECT_ERRNO(rmdir("/mnt"), Busy);
    ASSERT_OK(umount("/mnt"));
    EXPECT_EQ(contents_of("/mnt/below"), "below");
}

TEST_F(MountTest, StacksAndNests) {
    ASSERT_OK(mount_at("/mnt"));
    make_file("/mnt/first");
    ASSERT_OK(mount_at("/mnt"));
    EXPECT_ERRNO(find("/mnt/first"), NoEnt);
    make_dir("/mnt/inner");
    ASSERT_OK(mount_at("/mnt/inner"));
    EXPECT_ERRNO(umount("/mnt"), Busy);
    // Both at once, the inner one first.
    ASSERT_OK(umount("/mnt", guest::Umount::Detach));
    EXPECT_OK(find("/mnt/first"));
    ASSERT_OK(umount("/mnt"));
    EXPECT_ERRNO(umount("/mnt"), Inval);
    EXPECT_ERRNO(umount("/"), Inval);
}

TEST_F(MountTest, AnOpenFileKeepsItBusyOrAlive) {
    ASSERT_OK(mount_at("/mnt"));
    make_file("/mnt/f", "still here");
    auto f = open("/mnt/f");
    EXPECT_ERRNO(umount("/mnt"), Busy);
    ASSERT_OK(umount("/mnt", guest::Umount::Detach));
    EXPECT_ERRNO(find("/mnt/f"), NoEnt);
    EXPECT_EQ(read_all(*f.value()), "still here");
}

TEST_F(MountTest, OnlyDirectoriesTakeDirectories) { EXPECT_ERRNO(mount_at("/mnt/below"), NotDir); }

TEST_F(MountTest, ACopiedNamespaceIsSeparate) {
    ASSERT_OK(mount_at("/mnt"));
    make_file("/mnt/f");
    guest::path root = root_;
    guest::path pwd = find("/mnt").release_value();
    auto copy = guest::copy_mnt_ns(*ns_, root, pwd);
    ASSERT_OK(copy);
    EXPECT_NE(root.mnt, root_.mnt);
    guest::walk_start there{root, pwd};
    EXPECT_OK(guest::path_lookup(there, "/mnt/f", {}));
    EXPECT_OK(guest::path_lookup(there, "f", {}));
    EXPECT_OK(guest::path_lookup(there, "../mnt", {}));
    // A mount here is not seen there, and what goes there stays here.
    make_dir("/late");
    ASSERT_OK(mount_at("/late"));
    make_file("/late/x");
    EXPECT_ERRNO(guest::path_lookup(there, "/late/x", {}), NoEnt);
    pwd = there.base = root;
    {
        auto mounted = guest::path_lookup(there, "/mnt", {});
        ASSERT_OK(guest::do_umount(mounted.value(), guest::Umount::IfIdle));
    }
    EXPECT_ERRNO(guest::path_lookup(there, "/mnt/f", {}), NoEnt);
    EXPECT_OK(find("/mnt/f"));
}

TEST_F(MountTest, ATmpfsIsFullAtHalfOfRam) {
    ASSERT_OK(mount_at("/mnt"));
    auto f = open("/mnt/f", abi::kOCreat | abi::kOWrOnly);
    const std::string page(4096, 'x');
    for (int i = 0; i < 512; ++i) ASSERT_EQ(write_to(*f.value(), page).value(), 4096U);
    EXPECT_ERRNO(write_to(*f.value(), page), NoSpc);
    abi::Statfs stat;
    ASSERT_OK(guest::vfs_statfs(f.value()->f_path.dentry->sb(), stat));
    EXPECT_EQ(stat.f_blocks, 512U);
    EXPECT_EQ(stat.f_bfree, 0U);
    ASSERT_OK(guest::do_truncate(f.value()->node(), 4096));
    ASSERT_OK(guest::vfs_statfs(f.value()->f_path.dentry->sb(), stat));
    EXPECT_EQ(stat.f_bfree, 511U);
}

}  // namespace
}  // namespace guest_fs_test
