// The array of segments that a call like readv names.
#include "guest/fs/user_segments.hpp"

#include "guest/fs/vfs.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

Result<UserSegments> UserSegments::copy(UserPtr<const abi::Iovec> from, int64_t count) {
    if (count < 0 || static_cast<size_t>(count) > abi::kUioMaxIov) return Errno::Inval;
    const auto segments = static_cast<size_t>(count);
    KBuffer memory = TRY(KBuffer::allocate(segments * sizeof(abi::Iovec)));
    TRY(copy_from_user(memory.data(), from, segments * sizeof(abi::Iovec)));
    UserSegments out(std::move(memory), segments);
    TRY(out.check());
    return out;
}

Result<> UserSegments::check() {
    auto* segments = reinterpret_cast<abi::Iovec*>(memory_.data());
    size_t total = 0;
    for (size_t i = 0; i < count_; ++i) {
        if (static_cast<int64_t>(segments[i].iov_len) < 0) return Errno::Inval;
        if (!access_ok(VirtAddr(segments[i].iov_base), segments[i].iov_len)) return Errno::Fault;
        if (segments[i].iov_len > kMaxRwCount - total) segments[i].iov_len = kMaxRwCount - total;
        total += segments[i].iov_len;
    }
    return {};
}

}  // namespace guest
