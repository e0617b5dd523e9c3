// Character devices: from the major number of a node to its driver.
#include "guest/fs/special.hpp"

namespace guest {

namespace {

struct Driver {
    const file_operations* ops = nullptr;
    const char* name = nullptr;
};
constinit Driver drivers[kChrdevMajors] = {};

Result<> chrdev_open(inode& node, file& f) {
    const uint32_t major = abi::dev_major(node.i_rdev);
    const file_operations* driver = major < kChrdevMajors ? drivers[major].ops : nullptr;
    if (driver == nullptr) return Errno::NxIo;
    f.f_op = driver;
    if (driver->open != nullptr) TRY(driver->open(node, f));
    return {};
}

Result<> no_open(inode&, file&) { return Errno::NxIo; }

}  // namespace

constinit const file_operations chrdev_file_operations{.open = chrdev_open};
constinit const file_operations no_open_file_operations{.open = no_open};

void register_chrdev(uint32_t major, const file_operations& ops, const char* name) {
    BUG_ON(major >= kChrdevMajors || drivers[major].ops != nullptr);
    drivers[major] = {&ops, name};
}

const char* chrdev_name(uint32_t major) { return drivers[major].name; }

}  // namespace guest
