// rename(2): what moves, what it may replace, and what is refused.
#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

class RenameTest : public FsTest {
protected:
    void SetUp() override {
        FsTest::SetUp();
        make_dir("/a");
        make_dir("/a/sub");
        make_dir("/b");
        make_file("/a/f", "f");
        make_file("/b/g", "g");
    }
};

TEST_F(RenameTest, MovesAFile) {
    ASSERT_OK(rename("/a/f", "/b/moved"));
    EXPECT_ERRNO(find("/a/f"), NoEnt);
    EXPECT_EQ(contents_of("/b/moved"), "f");
    EXPECT_EQ(path_of(find("/b/moved").value()), "/b/moved");
    EXPECT_THAT(names_in("/a"), testing::ElementsAre("sub"));
    EXPECT_THAT(names_in("/b"), testing::ElementsAre("g", "moved"));
}

TEST_F(RenameTest, ReplacesAFile) {
    auto replaced = open("/b/g");
    ASSERT_OK(rename("/a/f", "/b/g"));
    EXPECT_EQ(contents_of("/b/g"), "f");
    EXPECT_EQ(read_all(*replaced.value()), "g");
    EXPECT_EQ(stat_of("/b").st_size, 60);
}

TEST_F(RenameTest, NamesOfAnyLengthMove) {
    const std::string long_name(200, 'n');
    ASSERT_OK(rename("/a/f", "/b/" + long_name));
    EXPECT_EQ(contents_of("/b/" + long_name), "f");
    ASSERT_OK(rename("/b/" + long_name, "/b/s"));
    EXPECT_EQ(path_of(find("/b/s").value()), "/b/s");
    EXPECT_ERRNO(find("/b/" + long_name), NoEnt);
}

TEST_F(RenameTest, MovesADirectoryWithAllThatIsInIt) {
    make_file("/a/sub/x", "x");
    cwd_ = find("/a/sub").release_value();
    ASSERT_OK(rename("/a/sub", "/b/sub2"));
    EXPECT_EQ(contents_of("/b/sub2/x"), "x");
    EXPECT_EQ(path_of(cwd_), "/b/sub2");
    EXPECT_EQ(path_of(find("..").value()), "/b");
    EXPECT_EQ(stat_of("/a").st_nlink, 2U);
    EXPECT_EQ(stat_of("/b").st_nlink, 3U);
}

TEST_F(RenameTest, ReplacesAnEmptyDirectoryOnly) {
    make_dir("/b/empty");
    make_dir("/b/full");
    make_file("/b/full/x");
    EXPECT_ERRNO(rename("/a/sub", "/b/full"), NotEmpty);
    EXPECT_OK(rename("/a/sub", "/b/empty"));
    EXPECT_EQ(stat_of("/a").st_nlink, 2U);
    EXPECT_EQ(stat_of("/b").st_nlink, 4U);
}

TEST_F(RenameTest, Refusals) {
    EXPECT_ERRNO(rename("/a/none", "/b/x"), NoEnt);
    EXPECT_ERRNO(rename("/a/f", "/none/x"), NoEnt);
    EXPECT_ERRNO(rename("/a/f", "/a/sub"), IsDir);
    EXPECT_ERRNO(rename("/a/sub", "/a/f"), NotDir);
    EXPECT_ERRNO(rename("/a/f/", "/b/x"), NotDir);
    EXPECT_ERRNO(rename("/a/f", "/b/x/"), NotDir);
    EXPECT_ERRNO(rename("/a", "/a/sub/x"), Inval);
    EXPECT_ERRNO(rename("/a", "/a/x"), Inval);
    EXPECT_ERRNO(rename("/a/sub", "/a"), NotEmpty);
    EXPECT_ERRNO(rename("/a/.", "/b/x"), Busy);
    EXPECT_ERRNO(rename("/a/f", "/b/.."), Busy);
    EXPECT_ERRNO(rename("/", "/b/x"), Busy);
    EXPECT_ERRNO(rename("/a/f", ""), NoEnt);
    EXPECT_ERRNO(rename("/a/f", "/b/g", abi::kRenameNoReplace), Exist);
    EXPECT_ERRNO(rename("/a/f", "/b/g", abi::kRenameNoReplace | abi::kRenameExchange), Inval);
    EXPECT_ERRNO(rename("/a/f", "/b/g", abi::kRenameWhiteout), Inval);
    EXPECT_EQ(contents_of("/a/f"), "f");
    EXPECT_EQ(contents_of("/b/g"), "g");
}

TEST_F(RenameTest, OntoItselfAndOntoAnotherNameOfIt) {
    EXPECT_OK(rename("/a/f", "/a/f"));
    ASSERT_OK(link("/a/f", "/b/same"));
    EXPECT_OK(rename("/a/f", "/b/same"));
    EXPECT_OK(find("/a/f"));
    EXPECT_OK(find("/b/same"));
    EXPECT_EQ(stat_of("/a/f").st_nlink, 2U);
}

TEST_F(RenameTest, Exchanges) {
    ASSERT_OK(rename("/a/f", "/b/g", abi::kRenameExchange));
    EXPECT_EQ(contents_of("/a/f"), "g");
    EXPECT_EQ(contents_of("/b/g"), "f");
    ASSERT_OK(rename("/a/sub", "/b/g", abi::kRenameExchange));
    EXPECT_EQ(contents_of("/a/sub"), "f");
    EXPECT_EQ(stat_of("/a").st_nlink, 2U);
    EXPECT_EQ(stat_of("/b").st_nlink, 3U);
    EXPECT_ERRNO(rename("/a/f", "/b/none", abi::kRenameExchange), NoEnt);
    EXPECT_ERRNO(rename("/a/f", "/a", abi::kRenameExchange), Inval);
}

TEST_F(RenameTest, NeedsRightsToBothDirectories) {
    ASSERT_OK(guest::vfs_chmod(*find("/a").value().dentry->d_inode, 0777));
    host_kernel::become(1000, 1000, false);
    EXPECT_ERRNO(rename("/a/f", "/b/x"), Access);
    EXPECT_ERRNO(rename("/b/g", "/a/x"), Access);
    EXPECT_OK(rename("/a/f", "/a/x"));
}

}  // namespace
}  // namespace guest_fs_test
