// Memory that runs out: whatever allocation fails, in whatever operation, nothing is left behind and what was
// there stays as it was. And the memory devices.
#include <functional>

#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

class FailureTest : public FsTest {
protected:
    void SetUp() override {
        FsTest::SetUp();
        make_dir("/d");
        make_dir("/d/e");
        make_file("/d/f", "contents");
        make_link("/l", "d/f");
    }

    // Runs the operation with the first, second, ... allocation failing, until none is left to fail.
    void fail_each(const std::function<Result<>()>& operation, bool (*may_be)(Errno) = only_no_mem) {
        for (uint64_t nth = 1; nth < 100; ++nth) {
            const int64_t objects = host_kernel::live_allocations();
            const int64_t pages = host_kernel::live_pages();
            host_kernel::fail_allocation(nth);
            Result<> outcome = operation();
            const bool failed = host_kernel::failure_happened();
            host_kernel::fail_allocation(0);
            if (!failed) {
                EXPECT_OK(outcome);
                EXPECT_GT(nth, 1U) << "nothing is allocated here";
                return;
            }
            ASSERT_FALSE(outcome.ok()) << "allocation " << nth;
            EXPECT_TRUE(may_be(outcome.error())) << static_cast<int>(outcome.error());
            ASSERT_EQ(host_kernel::live_allocations(), objects) << "allocation " << nth;
            ASSERT_EQ(host_kernel::live_pages(), pages) << "allocation " << nth;
        }
        FAIL() << "the operation never ends well";
    }
    static bool only_no_mem(Errno error) { return error == Errno::NoMem; }
};

TEST_F(FailureTest, Open) {
    fail_each([&]() -> Result<> {
        (void)TRY(open("/l"));
        return {};
    });
}

TEST_F(FailureTest, Create) {
    const std::string long_name = "/" + std::string(100, 'n');
    fail_each([&]() -> Result<> {
        auto f = open(long_name, abi::kOCreat | abi::kOWrOnly);
        if (f.ok()) return {};
        // A file whose description could not be made may be there: it goes again.
        (void)unlink(long_name);
        return f.error();
    });
}

TEST_F(FailureTest, MakeAndRemove) {
    fail_each([&] { return mkdir("/new"); });
    fail_each([&] { return guest::vfs_symlinkat(at(), "/d/link", "target"); });
    fail_each([&] { return guest::vfs_mknodat(at(), "/d/node", abi::kIfChr | 0600, abi::make_dev(1, 3)); });
    fail_each([&] { return link("/d/f", "/d/again"); });
    fail_each([&] { return rename("/d/f", "/d/e/moved"); });
    EXPECT_EQ(contents_of("/d/e/moved"), "contents");
}

TEST_F(FailureTest, Write) {
    auto f = open("/d/f", abi::kOWrOnly);
    ASSERT_OK(guest::vfs_llseek(*f.value(), 1 << 20, abi::kSeekSet));
    fail_each([&]() -> Result<> {
        (void)TRY(write_to(*f.value(), "far"));
        return {};
    });
}

TEST_F(FailureTest, Mount) {
    guest::path root = root_;
    guest::path pwd = cwd_;
    fail_each([&]() -> Result<> {
        (void)TRY(guest::copy_mnt_ns(*ns_, root, pwd));
        return {};
    });
    root = root_;
    pwd = root_;
    fail_each([&]() -> Result<> {
        return guest::do_add_mount(TRY(guest::tmpfs_type.mount(guest::tmpfs_type, nullptr)), TRY(find("/d")),
                                   0);
    });
}

class MemDeviceTest : public FsTest {
protected:
    guest::RefPtr<guest::file> open_minor(uint32_t minor) {
        const std::string name = "/dev" + std::to_string(minor);
        EXPECT_OK(guest::vfs_mknodat(at(), name.c_str(), abi::kIfChr | 0666, abi::make_dev(1, minor)));
        auto f = open(name, abi::kORdWr);
        EXPECT_OK(f);
        return f.release_value();
    }
};

TEST_F(MemDeviceTest, ReadAndWrite) {
    EXPECT_EQ(read_all(*open_minor(3), 10), "");
    EXPECT_EQ(read_all(*open_minor(5), 1000), std::string(1000, '\0'));
    const auto full = open_minor(7);
    EXPECT_EQ(read_all(*full, 10), std::string(10, '\0'));
    EXPECT_ERRNO(write_to(*full, "x"), NoSpc);
    EXPECT_EQ(read_all(*open_minor(9), 300), std::string(300, 0x42));
    EXPECT_EQ(write_to(*open_minor(8), std::string(100000, 'x')).value(), 100000U);
}

TEST_F(MemDeviceTest, Errors) {
    ASSERT_OK(guest::vfs_mknodat(at(), "/mem", abi::kIfChr | 0666, abi::make_dev(1, 1)));
    EXPECT_ERRNO(open("/mem"), NxIo);
    ASSERT_OK(guest::vfs_mknodat(at(), "/sda", abi::kIfBlk | 0666, abi::make_dev(8, 0)));
    EXPECT_ERRNO(open("/sda"), NxIo);
    const auto zero = open_minor(5);
    guest::iov_iter bad(guest::VirtAddr(8), 10);
    EXPECT_ERRNO(guest::vfs_read_at_pos(*zero, bad), Fault);
    EXPECT_EQ(guest::vfs_llseek(*zero, 100, abi::kSeekSet).value(), 0);
}

}  // namespace
}  // namespace guest_fs_test
