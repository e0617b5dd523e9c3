#include "guest/mm/bug.hpp"

#include "guest/lib/string.hpp"

namespace guest {

constinit Bug the_bug = Bug::None;

bool set_bug(const char* name) {
    struct Named {
        Bug bug;
        const char* name;
    };
    static constexpr Named kBugs[] = {
#define X(enumerator, name) {Bug::enumerator, name},
        GUEST_BUGS(X)
#undef X
    };
    for (const Named& known : kBugs) {
        if (strcmp(known.name, name) != 0) continue;
        the_bug = known.bug;
        return true;
    }
    return false;
}

}  // namespace guest
