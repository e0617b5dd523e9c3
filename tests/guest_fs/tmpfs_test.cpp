// Files in tmpfs: contents, names, links, holes, times, and what open(2) and its like answer.
#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

using TmpfsTest = FsTest;

TEST_F(TmpfsTest, KeepsWhatIsWritten) {
    std::string text;
    for (int i = 0; i < 10000; ++i) text += static_cast<char>('a' + i % 26);
    make_file("/f", text);
    EXPECT_EQ(contents_of("/f"), text);
    EXPECT_EQ(stat_of("/f").st_size, 10000);
    EXPECT_EQ(stat_of("/f").st_blocks, 3 * 8);
}

TEST_F(TmpfsTest, OpenFlags) {
    make_file("/f", "old");
    make_dir("/d");
    make_link("/l", "f");
    make_link("/new", "made");
    EXPECT_ERRNO(open("/none"), NoEnt);
    EXPECT_ERRNO(open("/f", abi::kOCreat | abi::kOExcl | abi::kOWrOnly), Exist);
    EXPECT_ERRNO(open("/l", abi::kOCreat | abi::kOExcl | abi::kOWrOnly), Exist);
    EXPECT_ERRNO(open("/new", abi::kOCreat | abi::kOExcl | abi::kOWrOnly), Exist);
    EXPECT_ERRNO(open("/d", abi::kOWrOnly), IsDir);
    EXPECT_ERRNO(open("/d", abi::kORdWr), IsDir);
    EXPECT_ERRNO(open("/d", abi::kOCreat), IsDir);
    EXPECT_ERRNO(open("/", abi::kOCreat | abi::kOWrOnly), IsDir);
    EXPECT_ERRNO(open("/d/", abi::kOCreat | abi::kOWrOnly), IsDir);
    EXPECT_ERRNO(open("/none/", abi::kOCreat | abi::kOWrOnly), IsDir);
    EXPECT_ERRNO(open("/f", abi::kODirectory), NotDir);
    EXPECT_ERRNO(open("/f/"), NotDir);
    EXPECT_ERRNO(open("/l", abi::kONoFollow), Loop);
    EXPECT_OK(open("/l", abi::kONoFollow | abi::kOPath));
    EXPECT_OK(open("/d", abi::kODirectory));
    EXPECT_ERRNO(open("/d", abi::kOTmpFile | abi::kODirectory), Inval);
    EXPECT_ERRNO(open("/f", abi::kOTmpFile | abi::kODirectory | abi::kORdWr), NotDir);
    EXPECT_OK(open("/d", abi::kOTmpFile | abi::kODirectory | abi::kORdWr));
    // A dangling link is followed to the name that is then made.
    EXPECT_OK(open("/new", abi::kOCreat | abi::kOWrOnly));
    EXPECT_OK(find("/made"));
    EXPECT_OK(open("/f", abi::kORdOnly | abi::kOTrunc));
    EXPECT_EQ(contents_of("/f"), "");
}

TEST_F(TmpfsTest, ModesOfDescriptions) {
    make_file("/f", "abc");
    auto reader = open("/f");
    EXPECT_ERRNO(write_to(*reader.value(), "x"), BadF);
    auto writer = open("/f", abi::kOWrOnly);
    char byte;
    guest::iov_iter to(&byte, 1);
    EXPECT_ERRNO(guest::vfs_read_at_pos(*writer.value(), to), BadF);
    auto directory = open("/", abi::kODirectory);
    EXPECT_ERRNO(guest::vfs_read_at_pos(*directory.value(), to), IsDir);
    EXPECT_EQ(reader.value()->f_flags, abi::kORdOnly);
    auto created = open("/f", abi::kOWrOnly | abi::kOCreat | abi::kOTrunc | abi::kOAppend | abi::kOCloExec);
    EXPECT_EQ(created.value()->f_flags, abi::kOWrOnly | abi::kOAppend);
}

TEST_F(TmpfsTest, AppendsAtTheEndWhereverTheOffsetIs) {
    make_file("/f", "abc");
    auto f = open("/f", abi::kORdWr | abi::kOAppend);
    EXPECT_EQ(f.value()->f_pos, 0);
    EXPECT_EQ(write_to(*f.value(), "def").value(), 3U);
    EXPECT_EQ(f.value()->f_pos, 6);
    EXPECT_EQ(contents_of("/f"), "abcdef");
}

TEST_F(TmpfsTest, HolesReadAsZerosAndTakeNoMemory) {
    auto f = open("/f", abi::kORdWr | abi::kOCreat);
    const int64_t before = host_kernel::live_pages();
    EXPECT_EQ(guest::vfs_llseek(*f.value(), 1 << 20, abi::kSeekSet).value(), 1 << 20);
    EXPECT_EQ(write_to(*f.value(), "end").value(), 3U);
    EXPECT_EQ(host_kernel::live_pages(), before + 1);
    EXPECT_EQ(guest::vfs_llseek(*f.value(), 0, abi::kSeekSet).value(), 0);
    const std::string all = read_all(*f.value(), 2 << 20);
    EXPECT_EQ(all.size(), (1U << 20) + 3);
    EXPECT_EQ(all.find_first_not_of('\0'), 1U << 20);
    EXPECT_EQ(host_kernel::live_pages(), before + 1);
}

TEST_F(TmpfsTest, SeeksDataAndHoles) {
    auto f = open("/f", abi::kORdWr | abi::kOCreat);
    guest::file& file = *f.value();
    const auto seek = [&](abi::loff_t to, uint32_t whence) { return guest::vfs_llseek(file, to, whence); };
    ASSERT_OK(seek(3 * 4096, abi::kSeekSet));
    ASSERT_OK(write_to(file, "x"));
    EXPECT_EQ(seek(0, abi::kSeekData).value(), 3 * 4096);
    EXPECT_EQ(seek(0, abi::kSeekHole).value(), 0);
    EXPECT_EQ(seek(3 * 4096, abi::kSeekHole).value(), 3 * 4096 + 1);
    EXPECT_ERRNO(seek(3 * 4096 + 1, abi::kSeekData), NxIo);
    EXPECT_ERRNO(seek(-1, abi::kSeekSet), Inval);
    EXPECT_ERRNO(seek(0, 9), Inval);
    EXPECT_EQ(seek(-1, abi::kSeekEnd).value(), 3 * 4096);
    EXPECT_EQ(seek(5, abi::kSeekCur).value(), 3 * 4096 + 5);
    EXPECT_ERRNO(seek(INT64_MAX, abi::kSeekCur), Overflow);
}

TEST_F(TmpfsTest, TruncateDropsPagesAndClearsTheCutOne) {
    const int64_t before = host_kernel::live_pages();
    make_file("/f", std::string(3 * 4096, 'x'));
    guest::inode& node = *find("/f").value().dentry->d_inode;
    EXPECT_EQ(host_kernel::live_pages(), before + 3);
    ASSERT_OK(guest::vfs_truncate(node, 100));
    EXPECT_EQ(host_kernel::unmapped_from, 1U);
    EXPECT_EQ(host_kernel::live_pages(), before + 1);
    ASSERT_OK(guest::vfs_truncate(node, 5000));
    EXPECT_EQ(contents_of("/f"), std::string(100, 'x') + std::string(4900, '\0'));
    ASSERT_OK(guest::vfs_truncate(node, 0));
    EXPECT_EQ(host_kernel::live_pages(), before);
    EXPECT_ERRNO(guest::vfs_truncate(node, -1), Inval);
    EXPECT_ERRNO(guest::vfs_truncate(*root_.dentry->d_inode, 0), IsDir);
}

// What a mapping wrote past the end of the file is not seen once the file grows.
TEST_F(TmpfsTest, BytesPastTheEndReadAsZerosLater) {
    make_file("/f", "abc");
    guest::inode& node = *find("/f").value().dentry->d_inode;
    guest::find_get_page(node.i_data, 0).data()[10] = 'X';
    ASSERT_OK(guest::do_truncate(node, 20));
    EXPECT_EQ(contents_of("/f"), std::string("abc") + std::string(17, '\0'));
    guest::find_get_page(node.i_data, 0).data()[30] = 'Y';
    auto f = open("/f", abi::kOWrOnly);
    ASSERT_OK(guest::vfs_llseek(*f.value(), 40, abi::kSeekSet));
    ASSERT_OK(write_to(*f.value(), "z"));
    EXPECT_EQ(contents_of("/f")[30], '\0');
}

TEST_F(TmpfsTest, AnUnlinkedFileLivesUntilItIsClosed) {
    const int64_t before = host_kernel::live_pages();
    make_file("/f", "alive");
    auto f = open("/f", abi::kORdWr);
    ASSERT_OK(unlink("/f"));
    EXPECT_ERRNO(find("/f"), NoEnt);
    abi::Stat stat{};
    guest::vfs_getattr(f.value()->node(), stat);
    EXPECT_EQ(stat.st_nlink, 0U);
    EXPECT_EQ(read_all(*f.value()), "alive");
    f.value().reset();
    EXPECT_EQ(host_kernel::live_pages(), before);
    make_file("/f", "new");
    EXPECT_EQ(contents_of("/f"), "new");
}

TEST_F(TmpfsTest, HardLinks) {
    make_file("/f", "one");
    make_dir("/d");
    ASSERT_OK(link("/f", "/d/g"));
    EXPECT_EQ(stat_of("/f").st_ino, stat_of("/d/g").st_ino);
    EXPECT_EQ(stat_of("/f").st_nlink, 2U);
    make_file("/d/g", "two");
    EXPECT_EQ(contents_of("/f"), "two");
    EXPECT_ERRNO(link("/d", "/e"), Perm);
    EXPECT_ERRNO(link("/f", "/d/g"), Exist);
    EXPECT_ERRNO(link("/f", "/none/g"), NoEnt);
    ASSERT_OK(unlink("/f"));
    EXPECT_EQ(stat_of("/d/g").st_nlink, 1U);
    EXPECT_EQ(contents_of("/d/g"), "two");
}

TEST_F(TmpfsTest, DirectoriesCountTheirSubdirectories) {
    EXPECT_EQ(stat_of("/").st_nlink, 2U);
    make_dir("/a");
    make_dir("/a/b");
    EXPECT_EQ(stat_of("/").st_nlink, 3U);
    EXPECT_EQ(stat_of("/a").st_nlink, 3U);
    EXPECT_ERRNO(mkdir("/a"), Exist);
    EXPECT_ERRNO(mkdir("/"), Exist);
    EXPECT_ERRNO(mkdir("/a/."), Exist);
    EXPECT_ERRNO(mkdir("/x/y"), NoEnt);
    EXPECT_OK(mkdir("/c/"));
    EXPECT_ERRNO(rmdir("/a"), NotEmpty);
    EXPECT_ERRNO(rmdir("/a/."), Inval);
    EXPECT_ERRNO(rmdir("/a/b/.."), NotEmpty);
    EXPECT_ERRNO(rmdir("/"), Busy);
    EXPECT_OK(rmdir("/a/b/"));
    EXPECT_OK(rmdir("/a"));
    EXPECT_EQ(stat_of("/").st_nlink, 3U);
    make_file("/f");
    EXPECT_ERRNO(rmdir("/f"), NotDir);
    EXPECT_ERRNO(unlink("/c"), IsDir);
    EXPECT_ERRNO(unlink("/"), IsDir);
    EXPECT_ERRNO(unlink("/f/"), NotDir);
    EXPECT_ERRNO(unlink("/none"), NoEnt);
}

// A directory that is somebody's working directory can go; nothing can be made in it any more.
TEST_F(TmpfsTest, NothingIsMadeInARemovedDirectory) {
    make_dir("/d");
    cwd_ = find("/d").release_value();
    ASSERT_OK(rmdir("/d"));
    EXPECT_ERRNO(open("f", abi::kOCreat | abi::kOWrOnly), NoEnt);
    EXPECT_ERRNO(mkdir("e"), NoEnt);
    EXPECT_ERRNO(find("f"), NoEnt);
    auto directory = open(".");
    guest::dir_context ctx;
    EXPECT_ERRNO(guest::iterate_dir(*directory.value(), ctx), NoEnt);
}

TEST_F(TmpfsTest, SymbolicLinksAndNodes) {
    make_link("/l", "some/where");
    EXPECT_EQ(stat_of("/l").st_size, 10);
    EXPECT_EQ(stat_of("/l").st_mode, abi::kIfLnk | 0777U);
    EXPECT_ERRNO(guest::vfs_symlinkat(at(), "/l", "x"), Exist);
    EXPECT_ERRNO(guest::vfs_symlinkat(at(), "/m", ""), NoEnt);
    EXPECT_ERRNO(guest::vfs_symlinkat(at(), "/m/", "x"), NoEnt);
    const abi::dev_t null = abi::make_dev(1, 3);
    ASSERT_OK(guest::vfs_mknodat(at(), "/null", abi::kIfChr | 0666, null));
    EXPECT_EQ(stat_of("/null").st_rdev, null);
    EXPECT_ERRNO(guest::vfs_mknodat(at(), "/d", abi::kIfDir | 0777, 0), Perm);
    EXPECT_ERRNO(guest::vfs_mknodat(at(), "/d", 0170000, 0), Inval);
    ASSERT_OK(guest::vfs_mknodat(at(), "/strange", abi::kIfChr | 0666, abi::make_dev(200, 1)));
    EXPECT_ERRNO(open("/strange"), NxIo);
    ASSERT_OK(guest::vfs_chmod(*root_.dentry->d_inode, 0777));
    host_kernel::become(1000, 1000, false);
    EXPECT_ERRNO(guest::vfs_mknodat(at(), "/device", abi::kIfChr | 0666, null), Perm);
    EXPECT_OK(guest::vfs_mknodat(at(), "/fifo", abi::kIfIfo | 0666, 0));
}

TEST_F(TmpfsTest, ReaddirMeetsEachNameOnceInTheOrderOfMaking) {
    for (const char* name : {"/c", "/a", "/b"}) make_file(name);
    EXPECT_THAT(names_in("/"), testing::ElementsAre("c", "a", "b"));
    ASSERT_OK(unlink("/a"));
    make_file("/a");
    EXPECT_THAT(names_in("/"), testing::ElementsAre("c", "b", "a"));
}

// As `rm -r` does: names go while the directory is read, one entry a call.
TEST_F(TmpfsTest, ReaddirGoesOnWhileNamesAreRemoved) {
    for (int i = 0; i < 50; ++i) make_file("/f" + std::to_string(i));
    auto directory = open("/");
    struct One {
        guest::dir_context ctx;
        std::string name;
    };
    std::vector<std::string> met;
    for (;;) {
        One one{
            {[](guest::dir_context& ctx, const char* name, size_t length, uint64_t, uint8_t, abi::loff_t) {
                auto& self = reinterpret_cast<One&>(ctx);
                if (!self.name.empty()) return false;
                self.name.assign(name, length);
                return true;
            }},
            ""};
        ASSERT_OK(guest::iterate_dir(*directory.value(), one.ctx));
        if (one.name.empty()) break;
        if (one.name == "." || one.name == "..") continue;
        met.push_back(one.name);
        ASSERT_OK(unlink("/" + one.name));
    }
    EXPECT_EQ(met.size(), 50U);
    EXPECT_THAT(names_in("/"), testing::IsEmpty());
}

TEST_F(TmpfsTest, TextBusy) {
    make_file("/program");
    ASSERT_OK(guest::vfs_chmod(*find("/program").value().dentry->d_inode, 0755));
    {
        auto writer = open("/program", abi::kOWrOnly);
        EXPECT_ERRNO(guest::do_open_exec(at(), "/program", {}), TxtBsy);
    }
    auto running = guest::do_open_exec(at(), "/program", {});
    ASSERT_OK(running);
    EXPECT_ERRNO(open("/program", abi::kOWrOnly), TxtBsy);
    EXPECT_ERRNO(open("/program", abi::kORdOnly | abi::kOTrunc), TxtBsy);
    EXPECT_ERRNO(guest::vfs_truncate(running.value()->node(), 0), TxtBsy);
    EXPECT_OK(guest::do_open_exec(at(), "/program", {}));
    running.value().reset();
    EXPECT_OK(open("/program", abi::kOWrOnly));
    EXPECT_ERRNO(guest::do_open_exec(at(), "/", {}), Access);
    make_file("/text");
    EXPECT_ERRNO(guest::do_open_exec(at(), "/text", {}), Access);
    EXPECT_ERRNO(guest::do_open_exec(at(), "/none", {}), NoEnt);
}

TEST_F(TmpfsTest, OwnersChangeModesTimesAndOwners) {
    make_file("/f");
    guest::inode& node = *find("/f").value().dentry->d_inode;
    ASSERT_OK(guest::vfs_chown(node, 1000, 1000));
    ASSERT_OK(guest::vfs_chmod(node, 06755));
    EXPECT_EQ(node.i_mode, abi::kIfReg | 06755U);
    ASSERT_OK(guest::vfs_chown(node, guest::kKeepId, 7));
    EXPECT_EQ(node.i_mode, abi::kIfReg | 0755U);
    EXPECT_EQ(node.i_uid, 1000U);
    host_kernel::become(1000, 1000, false);
    EXPECT_ERRNO(guest::vfs_chown(node, 5, guest::kKeepId), Perm);
    EXPECT_OK(guest::vfs_chown(node, guest::kKeepId, 1000));
    EXPECT_OK(guest::vfs_utimes(node, {5, 6}, {7, abi::kUtimeOmit}));
    EXPECT_EQ(node.i_atime, (abi::Timespec{5, 6}));
    EXPECT_ERRNO(guest::vfs_utimes(node, {0, 1'000'000'000}, {0, 0}), Inval);
    host_kernel::become(1, 1, false);
    EXPECT_ERRNO(guest::vfs_chmod(node, 0777), Perm);
    EXPECT_ERRNO(guest::vfs_utimes(node, {1, 1}, {1, 1}), Perm);
    EXPECT_ERRNO(guest::vfs_utimes(node, {0, abi::kUtimeNow}, {0, abi::kUtimeNow}), Access);
}

TEST_F(TmpfsTest, TheStickyBitGuardsNames) {
    make_dir("/tmp", 01777);
    ASSERT_OK(guest::vfs_chmod(*find("/tmp").value().dentry->d_inode, 01777));
    make_file("/tmp/root_file");
    host_kernel::become(1000, 1000, false);
    make_file("/tmp/own");
    EXPECT_ERRNO(unlink("/tmp/root_file"), Perm);
    EXPECT_ERRNO(rename("/tmp/root_file", "/tmp/x"), Perm);
    EXPECT_OK(unlink("/tmp/own"));
    EXPECT_ERRNO(open("/new", abi::kOCreat | abi::kOWrOnly), Access);
}

TEST_F(TmpfsTest, FaultsInTheMiddleGiveWhatWentBefore) {
    make_file("/f", "0123456789");
    auto f = open("/f", abi::kORdWr);
    char good[4];
    const abi::Iovec halves[] = {{reinterpret_cast<uint64_t>(good), 4}, {8, 4}};
    guest::iov_iter to(halves, 2);
    EXPECT_EQ(guest::vfs_read_at_pos(*f.value(), to).value(), 4U);
    EXPECT_EQ(f.value()->f_pos, 4);
    guest::iov_iter bad(guest::VirtAddr(8), 4);
    EXPECT_ERRNO(guest::vfs_read_at_pos(*f.value(), bad), Fault);
    const int64_t pages = host_kernel::live_pages();
    ASSERT_OK(guest::vfs_llseek(*f.value(), 1 << 20, abi::kSeekSet));
    guest::iov_iter from(guest::VirtAddr(8), 4);
    EXPECT_ERRNO(guest::vfs_write_at_pos(*f.value(), from), Fault);
    EXPECT_EQ(host_kernel::live_pages(), pages);
    EXPECT_EQ(stat_of("/f").st_size, 10);
}

}  // namespace
}  // namespace guest_fs_test
