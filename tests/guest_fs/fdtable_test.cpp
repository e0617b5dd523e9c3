// Descriptor tables and what copies of them share (rows F10 and C4), and fs_struct (rows F12 and C3).
#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

using guest::file;
using guest::files_struct;
using guest::RefPtr;

class FdTest : public FsTest {
protected:
    void SetUp() override {
        FsTest::SetUp();
        make_file("/f", "0123456789");
        files_ = guest::make_ref<files_struct>().release_value();
    }
    void TearDown() override {
        files_.reset();
        FsTest::TearDown();
    }
    int install(uint32_t flags = 0, unsigned start = 0) {
        auto fd = guest::alloc_fd(*files_, start, kLimit, flags);
        EXPECT_OK(fd);
        guest::fd_install(*files_, fd.value(), open("/f").release_value());
        return fd.value();
    }

    static constexpr unsigned kLimit = 1000;
    RefPtr<files_struct> files_;
};

TEST_F(FdTest, TheLowestFreeDescriptorIsTaken) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(install(), i);
    ASSERT_OK(guest::close_fd(*files_, 1));
    ASSERT_OK(guest::close_fd(*files_, 3));
    EXPECT_EQ(install(), 1);
    EXPECT_EQ(install(0, 10), 10);
    EXPECT_EQ(install(), 3);
    EXPECT_EQ(install(), 5);
    EXPECT_ERRNO(guest::close_fd(*files_, 7), BadF);
    EXPECT_ERRNO(guest::close_fd(*files_, -1), BadF);
    EXPECT_ERRNO(guest::close_fd(*files_, 1 << 30), BadF);
}

TEST_F(FdTest, GrowsToTheLimitAndNoFurther) {
    for (unsigned i = 0; i < kLimit; ++i) ASSERT_EQ(install(), static_cast<int>(i));
    EXPECT_ERRNO(guest::alloc_fd(*files_, 0, kLimit, 0), MFile);
    ASSERT_OK(guest::close_fd(*files_, 70));
    EXPECT_EQ(install(), 70);
}

TEST_F(FdTest, ReservedDescriptorsAreTakenButNotOpen) {
    auto fd = guest::alloc_fd(*files_, 0, kLimit, 0);
    EXPECT_FALSE(guest::fget(*files_, fd.value()));
    EXPECT_EQ(install(), 1);
    EXPECT_ERRNO(guest::replace_fd(*files_, 0, open("/f").release_value(), 0, kLimit), Busy);
    guest::put_unused_fd(*files_, fd.value());
    EXPECT_EQ(install(), 0);
}

TEST_F(FdTest, CopiesShareDescriptionsAndNotDescriptors) {
    install();
    install(abi::kOCloExec);
    auto copy = guest::dup_fd(*files_).release_value();
    // One offset for both.
    EXPECT_EQ(read_all(*guest::fget(*files_, 0), 4), "0123");
    EXPECT_EQ(read_all(*guest::fget(*copy, 0), 2), "45");
    EXPECT_EQ(guest::fget(*files_, 0)->ref_count(), 3);
    // Flags of descriptors were copied, and are separate from then on.
    EXPECT_TRUE(guest::get_close_on_exec(*copy, 1));
    guest::set_close_on_exec(*copy, 1, false);
    EXPECT_TRUE(guest::get_close_on_exec(*files_, 1));
    ASSERT_OK(guest::close_fd(*copy, 0));
    EXPECT_TRUE(guest::fget(*files_, 0));
    EXPECT_FALSE(guest::fget(*copy, 0));
}

TEST_F(FdTest, ACopyOfALargeTableIsWhole) {
    for (int i = 0; i < 300; ++i) install();
    auto reserved = guest::alloc_fd(*files_, 0, kLimit, 0);
    auto copy = guest::dup_fd(*files_).release_value();
    for (int fd = 0; fd < 300; ++fd) EXPECT_EQ(guest::fget(*copy, fd), guest::fget(*files_, fd));
    // What another thread is just opening is not copied.
    EXPECT_EQ(guest::alloc_fd(*copy, 0, kLimit, 0).value(), 300);
    guest::put_unused_fd(*files_, reserved.value());
    auto few = guest::dup_fd(*files_, 10).release_value();
    EXPECT_TRUE(guest::fget(*few, 9));
    EXPECT_FALSE(guest::fget(*few, 10));
    EXPECT_EQ(guest::alloc_fd(*few, 0, kLimit, 0).value(), 10);
}

TEST_F(FdTest, EveryFailedCopyLeavesNothing) {
    for (int i = 0; i < 300; ++i) install();
    for (uint64_t nth = 1;; ++nth) {
        const int64_t before = host_kernel::live_allocations();
        host_kernel::fail_allocation(nth);
        auto copy = guest::dup_fd(*files_);
        host_kernel::fail_allocation(0);
        if (copy.ok()) {
            EXPECT_EQ(nth, 3U);
            break;
        }
        EXPECT_ERRNO(copy, NoMem);
        EXPECT_EQ(host_kernel::live_allocations(), before);
        EXPECT_EQ(guest::fget(*files_, 7)->ref_count(), 2);
    }
}

TEST_F(FdTest, CloseOnExecClosesWhatIsMarked) {
    install();
    install(abi::kOCloExec);
    install(abi::kOCloExec, 100);
    guest::do_close_on_exec(*files_);
    EXPECT_TRUE(guest::fget(*files_, 0));
    EXPECT_FALSE(guest::fget(*files_, 1));
    EXPECT_FALSE(guest::fget(*files_, 100));
    EXPECT_EQ(install(), 1);
    EXPECT_FALSE(guest::get_close_on_exec(*files_, 1));
}

TEST_F(FdTest, ReplaceClosesWhatWasThere) {
    install();
    auto other = open("/f").release_value();
    ASSERT_OK(guest::replace_fd(*files_, 0, other, abi::kOCloExec, kLimit));
    EXPECT_EQ(guest::fget(*files_, 0), other);
    EXPECT_TRUE(guest::get_close_on_exec(*files_, 0));
    ASSERT_OK(guest::replace_fd(*files_, 500, other, 0, kLimit));
    EXPECT_EQ(guest::next_open_fd(*files_, 1), 500);
    EXPECT_EQ(guest::next_open_fd(*files_, 501), -1);
    EXPECT_ERRNO(guest::replace_fd(*files_, -1, other, 0, kLimit), BadF);
    EXPECT_ERRNO(guest::replace_fd(*files_, kLimit, other, 0, kLimit), BadF);
}

TEST_F(FdTest, PathDescriptorsAreNotOpen) {
    guest::fd_install(*files_, guest::alloc_fd(*files_, 0, kLimit, 0).value(),
                      open("/f", abi::kOPath).release_value());
    EXPECT_FALSE(guest::fget(*files_, 0));
    EXPECT_TRUE(guest::fget_raw(*files_, 0));
}

TEST_F(FdTest, AWalkStartsAtADescriptor) {
    make_dir("/d");
    make_file("/d/x", "x");
    auto fs = guest::make_ref<guest::fs_struct>(root_, root_, 022U).release_value();
    guest::fd_install(*files_, guest::alloc_fd(*files_, 0, kLimit, 0).value(), open("/d").release_value());
    install();
    EXPECT_OK(guest::path_lookup(guest::start_walk(*fs, *files_, 0, "x").release_value(), "x", {}));
    EXPECT_ERRNO(guest::start_walk(*fs, *files_, 1, "x"), NotDir);
    EXPECT_ERRNO(guest::start_walk(*fs, *files_, 5, "x"), BadF);
    EXPECT_OK(guest::start_walk(*fs, *files_, 5, "/x"));
    EXPECT_OK(guest::start_walk(*fs, *files_, 1, ""));
}

TEST_F(FdTest, FsStructsAreCopiedOrShared) {
    make_dir("/d");
    auto fs = guest::make_ref<guest::fs_struct>(root_, root_, 022U).release_value();
    auto copy = guest::copy_fs_struct(*fs).release_value();
    guest::set_fs_pwd(*copy, find("/d").release_value());
    EXPECT_EQ(guest::get_fs_pwd(*fs), root_);
    EXPECT_EQ(path_of(guest::get_fs_pwd(*copy)), "/d");
    host_kernel::fail_allocation(1);
    EXPECT_ERRNO(guest::copy_fs_struct(*fs), NoMem);
}

}  // namespace
}  // namespace guest_fs_test
