// Walking paths: what each kind leads to, and the error of each that leads nowhere (man 7 path_resolution).
#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

class PathTest : public FsTest {
protected:
    void SetUp() override {
        FsTest::SetUp();
        make_dir("/a");
        make_dir("/a/b");
        make_file("/a/b/f", "contents");
        make_link("/to_b", "a/b");
        make_link("/a/abs", "/a/b/f");
        make_link("/a/up", "../a/b");
    }
    std::string where(const std::string& name, guest::lookup_flags flags = {}) {
        auto found = find(name, flags);
        EXPECT_OK(found) << name;
        return found.ok() ? path_of(found.value()) : "";
    }
};

TEST_F(PathTest, FindsWhatIsThere) {
    EXPECT_EQ(where("/"), "/");
    EXPECT_EQ(where("///"), "/");
    EXPECT_EQ(where("/a/b/f"), "/a/b/f");
    EXPECT_EQ(where("//a//b///f"), "/a/b/f");
    EXPECT_EQ(where("a/./b/."), "/a/b");
    EXPECT_EQ(where("a/b/../b/f"), "/a/b/f");
    EXPECT_EQ(where(".."), "/");
    EXPECT_EQ(where("../../../a"), "/a");
    EXPECT_EQ(where("/a/b/"), "/a/b");
}

TEST_F(PathTest, RelativePathsBeginAtTheWorkingDirectory) {
    cwd_ = find("/a").release_value();
    EXPECT_EQ(where("b/f"), "/a/b/f");
    EXPECT_EQ(where("."), "/a");
    EXPECT_EQ(where(".."), "/");
    EXPECT_EQ(where("/a"), "/a");
}

TEST_F(PathTest, FollowsLinks) {
    EXPECT_EQ(where("/to_b"), "/a/b");
    EXPECT_EQ(where("/to_b/f"), "/a/b/f");
    EXPECT_EQ(where("/a/abs"), "/a/b/f");
    EXPECT_EQ(where("/a/up/f"), "/a/b/f");
    EXPECT_EQ(where("/to_b", {.follow = false}), "/to_b");
    // A slash at the end asks for the directory, not for the link.
    EXPECT_EQ(where("/to_b/", {.follow = false}), "/a/b");
    EXPECT_EQ(where("/to_b/.", {.follow = false}), "/a/b");
}

TEST_F(PathTest, SaysWhyAPathLeadsNowhere) {
    EXPECT_ERRNO(find(""), NoEnt);
    EXPECT_ERRNO(find("/x"), NoEnt);
    EXPECT_ERRNO(find("/x/y"), NoEnt);
    EXPECT_ERRNO(find("/a/b/f/g"), NotDir);
    EXPECT_ERRNO(find("/a/b/f/"), NotDir);
    EXPECT_ERRNO(find("/a/b/f/."), NotDir);
    EXPECT_ERRNO(find("/a/b/f/.."), NotDir);
    EXPECT_ERRNO(find("/a/abs/"), NotDir);
    EXPECT_ERRNO(find("/a/b/f", {.directory = true}), NotDir);
    EXPECT_ERRNO(find("/" + std::string(256, 'n')), NameTooLong);
    EXPECT_ERRNO(find("/a/b/f/" + std::string(256, 'n')), NotDir);
    EXPECT_ERRNO(find("/" + std::string(255, 'n')), NoEnt);
}

TEST_F(PathTest, AnEmptyPathMayMeanTheStart) {
    auto found = guest::path_lookup(at("/a/b/f"), "", {.empty = true});
    ASSERT_OK(found);
    EXPECT_EQ(path_of(found.value()), "/a/b/f");
}

TEST_F(PathTest, DanglingAndLoopingLinks) {
    make_link("/dangling", "nowhere");
    make_link("/self", "self");
    make_link("/ping", "pong/x");
    make_link("/pong", "ping");
    EXPECT_ERRNO(find("/dangling"), NoEnt);
    EXPECT_OK(find("/dangling", {.follow = false}));
    EXPECT_ERRNO(find("/self"), Loop);
    EXPECT_ERRNO(find("/ping"), Loop);
    EXPECT_ERRNO(find("/self/x"), Loop);
}

TEST_F(PathTest, FortyLinksAreFollowedAndNoMore) {
    make_file("/link0");
    for (int i = 1; i <= 41; ++i) make_link("/link" + std::to_string(i), "link" + std::to_string(i - 1));
    EXPECT_EQ(where("/link40"), "/link0");
    EXPECT_ERRNO(find("/link41"), Loop);
}

TEST_F(PathTest, ALongLinkWithALongRestWorks) {
    std::string up;
    for (int i = 0; i < 1000; ++i) up += "../";
    make_link("/a/long", up + "a/b");
    std::string rest;
    for (int i = 0; i < 1000; ++i) rest += "./";
    EXPECT_EQ(where("/a/long/" + rest + "f"), "/a/b/f");
}

TEST_F(PathTest, SearchingADirectoryNeedsItsExecuteBit) {
    ASSERT_OK(guest::vfs_chmod(*find("/a").value().dentry->d_inode, 0644));
    EXPECT_OK(find("/a/b/f"));  // root may
    host_kernel::become(1000, 1000, false);
    EXPECT_OK(find("/a"));
    EXPECT_ERRNO(find("/a/b"), Access);
    EXPECT_ERRNO(find("/a/."), Access);
}

TEST_F(PathTest, RightsOfOwnerGroupAndOthers) {
    guest::inode& node = *find("/a/b/f").value().dentry->d_inode;
    ASSERT_OK(guest::vfs_chown(node, 1000, 1000));
    ASSERT_OK(guest::vfs_chmod(node, 0640));
    host_kernel::become(1000, 5, false);
    EXPECT_OK(open("/a/b/f", abi::kORdWr));
    host_kernel::become(5, 1000, false);
    EXPECT_OK(open("/a/b/f"));
    EXPECT_ERRNO(open("/a/b/f", abi::kORdWr), Access);
    host_kernel::become(5, 5, false);
    EXPECT_ERRNO(open("/a/b/f"), Access);
    // The class that one belongs to decides, even where another has more.
    host_kernel::become(1000, 1000, false);
    ASSERT_OK(guest::vfs_chmod(node, 0077));
    EXPECT_ERRNO(open("/a/b/f"), Access);
}

TEST_F(PathTest, PathsOfDeletedAndUnreachableFiles) {
    auto f = open("/a/b/f");
    ASSERT_OK(f);
    ASSERT_OK(unlink("/a/b/f"));
    EXPECT_EQ(path_of(f.value()->f_path), "/a/b/f (deleted)");
    char buffer[100];
    const guest::path inner = find("/a/b").release_value();
    auto text = guest::d_path(root_, inner, buffer, sizeof(buffer));
    EXPECT_STREQ(text.value(), "(unreachable)/");
    EXPECT_ERRNO(guest::d_path(inner, root_, buffer, 4), NameTooLong);
    EXPECT_STREQ(guest::d_path(inner, root_, buffer, 5).value(), "/a/b");
}

// A walk leaves no dentry behind, however it ends.
TEST_F(PathTest, FailedLookupsLeaveNothing) {
    const int64_t before = host_kernel::live_allocations();
    for (int i = 0; i < 100; ++i) {
        EXPECT_ERRNO(find("/a/none" + std::to_string(i)), NoEnt);
        EXPECT_ERRNO(open("/a/none" + std::to_string(i) + "/x", abi::kOCreat | abi::kOWrOnly), NoEnt);
    }
    EXPECT_EQ(host_kernel::live_allocations(), before);
}

}  // namespace
}  // namespace guest_fs_test
