// A root file system for each test, and the proof that nothing of it is left at the end.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "guest/fs/dentry.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/special.hpp"
#include "guest/fs/tmpfs.hpp"
#include "guest/fs/vfs.hpp"
#include "tests/guest_fs/host_kernel.hpp"

namespace guest_fs_test {

using guest::Errno;
using guest::Result;

// The error of an outcome as a number, 0 for none: what a failed expectation prints is a name of errno(3).
template <typename T>
int error_of(const Result<T>& outcome) {
    return outcome.ok() ? 0 : static_cast<int>(outcome.error());
}

#define EXPECT_OK(expression) EXPECT_EQ(::guest_fs_test::error_of(expression), 0)
#define ASSERT_OK(expression) ASSERT_EQ(::guest_fs_test::error_of(expression), 0)
#define EXPECT_ERRNO(expression, name) \
    EXPECT_EQ(::guest_fs_test::error_of(expression), static_cast<int>(::guest::Errno::name))

class FsTest : public ::testing::Test {
protected:
    void SetUp() override;
    // Drops the root file system; every object and page must be gone then.
    void TearDown() override;

    guest::walk_start at(const std::string& directory = "");
    Result<guest::path> find(const std::string& name, guest::lookup_flags flags = {});
    Result<guest::RefPtr<guest::file>> open(const std::string& name, uint32_t flags = abi::kORdOnly,
                                            abi::umode_t mode = 0644);

    void make_dir(const std::string& name, abi::umode_t mode = 0755);
    void make_file(const std::string& name, const std::string& contents = "");
    void make_link(const std::string& name, const std::string& target);
    std::string contents_of(const std::string& name);
    abi::Stat stat_of(const std::string& name);
    std::string path_of(const guest::path& place);
    // In the order of getdents, without "." and "..".
    std::vector<std::string> names_in(const std::string& name);

    Result<> mkdir(const std::string& name) { return guest::vfs_mkdirat(at(), name.c_str(), 0755); }
    Result<> rmdir(const std::string& name) { return guest::vfs_rmdirat(at(), name.c_str()); }
    Result<> unlink(const std::string& name) { return guest::vfs_unlinkat(at(), name.c_str()); }
    Result<> rename(const std::string& from, const std::string& to, uint32_t flags = 0) {
        return guest::vfs_renameat(at(), from.c_str(), at(), to.c_str(), flags);
    }
    Result<> link(const std::string& from, const std::string& to);

    guest::RefPtr<guest::mnt_namespace> ns_;
    guest::path root_;
    guest::path cwd_;

private:
    int64_t allocations_before_ = 0;
    int64_t pages_before_ = 0;
    uint64_t files_before_ = 0;
};

std::string read_all(guest::file& f, size_t most = 1 << 20);
Result<size_t> write_to(guest::file& f, const std::string& bytes);

}  // namespace guest_fs_test
