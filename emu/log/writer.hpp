// Writes a log file. Events are taken in the caller's thread, encoded and written in another one
// through a bounded queue: a full queue makes the caller wait, so memory is bounded, and the bytes of
// the file depend on nothing but the calls made here, in their order.
//
//   auto writer = TRY(log::Writer::open("run.mmu", meta));
//   writer->add_symbols(kernel_module);
//   recorder.attach(*writer, meta.kinds);
//   ... run; at a stop that a person may look at: recorder.flush(); writer->sync();
//   recorder.flush();
//   TRY_VOID(writer->finish());
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "emu/base/result.hpp"
#include "emu/log/keyframe.hpp"
#include "emu/log/meta.hpp"
#include "emu/log/recorder.hpp"
#include "emu/log/symbols.hpp"

namespace forkscope::log {

class Writer final : public EventSink {
public:
    // Creates or replaces the file and writes its header and meta chunk. An Error names the path and
    // the reason; then no new file is left behind. A file that another Writer holds is refused.
    [[nodiscard]] static Result<std::unique_ptr<Writer>> open(const std::filesystem::path& path,
                                                              const Meta& meta,
                                                              KeyframeOptions keyframes = {});

    // Finishes the file if finish() was not called; an error is then lost.
    ~Writer() override;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // At any time before finish(). Symbols are sorted by address for the file. Best before the first
    // event, so that they are there after a crash. Fails if the module is too big for a chunk.
    [[nodiscard]] Result<> add_symbols(SymbolModule module);

    // After an error, events are counted as lost and dropped.
    void consume(std::span<const Event> events) override;

    // Has what was consumed written out, as a short chunk if need be; does not wait for it.
    void write_out() override;

    // Writes out what was consumed, as a short chunk if need be, and waits until it is in the file.
    void sync();

    // The first error, if there was one: the disk is full, the file grew past a limit. It stays; the
    // whole chunks written before it stay readable.
    [[nodiscard]] Result<> status() const;

    // Writes what is left, index and end mark, and closes the file. Returns the first error. Later calls
    // return the same; events after it are ignored.
    [[nodiscard]] Result<> finish();

    [[nodiscard]] uint64_t events() const;         // consumed so far
    [[nodiscard]] uint64_t bytes_written() const;  // in the file; may trail behind events()

private:
    class Impl;
    explicit Writer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace forkscope::log
