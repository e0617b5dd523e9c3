// Character devices: from the major number of a node to its driver.
#include "guest/fs/special.hpp"

namespace guest {

namespace {

constexpr uint32_t kMajors = 256;
constinit const file_operations* drivers[kMajors] = {};

Result<> chrdev_open(inode& node, file& f) {
    const uint32_t major = abi::dev_major(node.i_rdev);
    const file_operations* driver = major < kMajors ? drivers[major] : nullptr;
    if (driver == nullptr) return Errno::NxIo;
    f.f_op = driver;
    if (driver->open != nullptr) TRY(driver->open(node, f));
    return {};
}

Result<> no_open(inode&, file&) { return Errno::NxIo; }

}  // namespace

constinit const file_operations chrdev_file_operations{.open = chrdev_open};
constinit const file_operations no_open_file_operations{.open = no_open};

void register_chrdev(uint32_t major, const file_operations& ops) {
    BUG_ON(major >= kMajors || drivers[major] != nullptr);
    drivers[major] = &ops;
}

}  // namespace guest
