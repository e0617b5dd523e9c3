// The one thing that the MMU asks of the engine under it.
#pragma once

namespace forkscope::mmu {

class EngineTlb {
public:
    virtual ~EngineTlb() = default;

    // Drop every cached translation of this CPU, global ones too, before the next guest access. Called
    // from inside Mmu's functions (mmu.hpp says which), so it must not call back into Mmu, but for
    // engine_flushed(), which the Mmu does itself when this returns.
    virtual void flush_all() = 0;
};

}  // namespace forkscope::mmu
