// The walk along a path.
#include "guest/fs/walk.hpp"

#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

// A directory that the caller may look names up in.
Result<> may_lookup(const dentry& dir) {
    if (!abi::is_dir(dir.d_inode->i_mode)) return Errno::NotDir;
    return inode_permission(*dir.d_inode, abi::kExecOk);
}

const char* skip_slashes(const char* text) {
    while (*text == '/') ++text;
    return text;
}

}  // namespace

path_walk::path_walk(const walk_start& start, const char* name)
    : root_(start.root),
      at_(name[0] == '/' ? start.root : start.base),
      resolve_(start.resolve),
      rest_(name) {}

// Takes the next component off rest_ and says what it is.
void path_walk::next_component() {
    const char* begin = skip_slashes(rest_);
    const char* end = begin;
    while (*end != '\0' && *end != '/') ++end;
    const auto length = static_cast<size_t>(end - begin);
    rest_ = skip_slashes(end);
    is_last_ = *rest_ == '\0';
    trailing_slash_ = is_last_ && rest_ != end;
    name_ = qstr(begin, length);
    if (length == 0) {
        last_ = Last::Root;
    } else if (length == 1 && begin[0] == '.') {
        last_ = Last::Dot;
    } else if (length == 2 && begin[0] == '.' && begin[1] == '.') {
        last_ = Last::DotDot;
    } else {
        last_ = Last::Name;
    }
}

Result<> path_walk::to_parent() {
    for (;;) {
        next_component();
        if (last_ == Last::Root) return {};
        TRY(may_lookup(*at_.dentry));
        if (is_last_) return {};
        TRY(step());
    }
}

Result<> path_walk::step() {
    if (last_ == Last::Dot) return {};
    if (last_ == Last::DotDot) return go_up(at_);
    RefPtr<dentry> child = TRY(lookup_child(*at_.dentry, name_));
    if (child->is_negative()) return Errno::NoEnt;
    if (abi::is_lnk(child->d_inode->i_mode)) {
        path jumped = TRY(follow(*child));
        if (jumped) at_ = std::move(jumped);
        return {};
    }
    at_.dentry = std::move(child);
    return enter_mounts(at_);
}

Result<> path_walk::enter_mounts(path& p) const {
    const vfsmount* before = p.mnt.get();
    follow_mounts(p);
    if (may_not(abi::kResolveNoXdev) && p.mnt.get() != before) return Errno::XDev;
    return {};
}

// A link that leads straight to an object knows no bounds.
Result<> path_walk::check_jump(const path& target) const {
    if (may_not(abi::kResolveNoMagicLinks)) return Errno::Loop;
    if (may_not(abi::kResolveBeneath | abi::kResolveInRoot)) return Errno::XDev;
    if (may_not(abi::kResolveNoXdev) && target.mnt != at_.mnt) return Errno::XDev;
    return {};
}

// What is left of the path continues in what the link says; or, for a link to an object, the object.
Result<path> path_walk::follow(const dentry& link) {
    if (++links_ > kMaxSymlinks || may_not(abi::kResolveNoSymlinks)) return Errno::Loop;
    inode& node = *link.d_inode;
    if (node.i_op->jump_link != nullptr) {
        path target = TRY(node.i_op->jump_link(node));
        TRY(check_jump(target));
        return target;
    }
    if (node.i_op->readlink == nullptr) return Errno::Inval;
    const size_t rest_length = strlen(rest_);
    auto* text = static_cast<char*>(kmalloc(abi::kPathMax + 1 + rest_length + 1));
    if (text == nullptr) return Errno::NoMem;
    Result<size_t> length = node.i_op->readlink(node, text, abi::kPathMax);
    if (!length.ok() || length.value() == 0 || length.value() == abi::kPathMax) {
        kfree(text);
        if (!length.ok()) return length.error();
        return length.value() == 0 ? Errno::NoEnt : Errno::NameTooLong;
    }
    char* end = text + length.value();
    if (rest_length != 0 || trailing_slash_) *end++ = '/';
    memcpy(end, rest_, rest_length + 1);
    kfree(text_);
    text_ = text;
    rest_ = text;
    if (text[0] != '/') return path();
    const bool leaves_mount = may_not(abi::kResolveNoXdev) && root_.mnt != at_.mnt;
    if (may_not(abi::kResolveBeneath) || leaves_mount) return Errno::XDev;
    at_ = root_;
    return path();
}

Result<path> path_walk::follow_last(const dentry& link) {
    path jumped = TRY(follow(link));
    if (!jumped) TRY(to_parent());
    return jumped;
}

// "..": not above the root, and out of a mount by its mount point.
Result<> path_walk::go_up(path& p) const {
    const vfsmount* before = p.mnt.get();
    for (;;) {
        if (p == root_) {
            if (may_not(abi::kResolveBeneath)) return Errno::XDev;
            break;
        }
        if (p.dentry != p.mnt->mnt_root) {
            p.dentry = dget_parent(*p.dentry);
            break;
        }
        if (!follow_up(p)) break;
    }
    follow_mounts(p);
    if (may_not(abi::kResolveNoXdev) && p.mnt.get() != before) return Errno::XDev;
    return {};
}

Result<path> path_walk::last_place() const {
    path place = at_;
    if (last_ == Last::DotDot) TRY(go_up(place));
    return place;
}

}  // namespace guest
