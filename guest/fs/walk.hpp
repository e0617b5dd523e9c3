// The walk along a path, one component after the other: what lookups, open and all that makes or removes
// names have in common.
#pragma once

#include "guest/fs/dentry.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/path.hpp"
#include "guest/lib/new.hpp"
#include "guest/lib/result.hpp"

namespace guest {

class path_walk {
public:
    enum class Last : uint8_t { Name, Root, Dot, DotDot };

    path_walk(const walk_start& start, const char* name);
    path_walk(const path_walk&) = delete;
    path_walk& operator=(const path_walk&) = delete;
    ~path_walk() { kfree(text_); }

    // Goes to the directory that holds the last component, following links on the way. NoEnt, NotDir, Access,
    // Loop, NameTooLong, NoMem.
    Result<> to_parent();

    // The following hold after to_parent.
    [[nodiscard]] Last last() const { return last_; }
    [[nodiscard]] const qstr& name() const { return name_; }
    [[nodiscard]] bool trailing_slash() const { return trailing_slash_; }
    [[nodiscard]] const path& parent() const { return at_; }
    [[nodiscard]] dentry& dir() const { return *at_.dentry; }
    [[nodiscard]] inode& dir_inode() const { return *at_.dentry->d_inode; }

    // Where Root, Dot and DotDot lead.
    [[nodiscard]] Result<path> last_place() const;
    // Down to what is mounted there, unless the walk has to stay in its mount: XDev.
    Result<> enter_mounts(path& p) const;
    // The last component was the link `link`: walks on to the parent of what it names, or, if the link leads
    // straight to an object, returns that.
    Result<path> follow_last(const dentry& link);

private:
    void next_component();
    Result<> step();
    Result<path> follow(const dentry& link);
    Result<> go_up(path& p) const;
    Result<> check_jump(const path& target) const;
    [[nodiscard]] bool may_not(uint32_t what) const { return (resolve_ & what) != 0; }

    path root_;
    path at_;
    const uint32_t resolve_;
    const char* rest_;      // not yet walked
    char* text_ = nullptr;  // what rest_ points into, once a link was followed
    unsigned links_ = 0;
    qstr name_;
    Last last_ = Last::Root;
    bool trailing_slash_ = false;
    bool is_last_ = false;
};

// May current remove victim's name from the directory dir? directory: as rmdir does. Access, Perm, NotDir,
// IsDir, Busy.
Result<> may_delete(const path& dir, const dentry& victim, bool directory);

}  // namespace guest
