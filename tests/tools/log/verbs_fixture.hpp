// The verbs over a log of the pretend machine: how a test writes one, and runs a verb over it.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "emu/log/writer.hpp"
#include "tests/log/fake_guest.hpp"
#include "tests/log/log_file.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

using test::FakeGuest;
using test::kUserHeap;

using Verb = Result<> (*)(log::Reader&, const Query&, Output&);

[[nodiscard]] constexpr uint64_t page(unsigned n) { return kUserHeap + uint64_t{n} * 0x1000; }

// Eight dirty pages; the child writes two, the parent one of its own and one that the child has left.
inline FakeGuest demonstration(test::FakeOptions options = {}) {
    FakeGuest guest(options);
    guest.at(test::kUserText + 0x24, 3);
    guest.touch_new_pages(kUserHeap, 8);
    guest.audit();
    const uint32_t child = guest.fork();
    guest.switch_to(child);
    guest.advance(500);
    guest.write(page(0) + 8);
    guest.write(page(1));
    guest.switch_to(1);
    guest.write(page(5));
    guest.write(page(0));
    guest.switch_to(child);
    guest.exit(0x700);
    guest.switch_to(1);
    guest.reap(child);
    guest.audit();
    guest.exit(0);
    guest.stop(log::Stop::GuestExit, 0);
    return guest;
}

inline void write_demonstration(const std::filesystem::path& path, std::span<const log::Event> events) {
    auto writer = log::Writer::open(path, test::some_meta());
    ASSERT_TRUE(writer);
    using log::ModuleKind;
    ASSERT_TRUE((*writer)->add_symbols({ModuleKind::Kernel,
                                        "kernel",
                                        "kernel.elf",
                                        {{test::kKernelText, 0x1000, "do_fork"},
                                         {test::kKernelText + 0x1000, 0x200, "copy_pte_range"},
                                         {test::kKernelText + 0x2000, 0x100, "do_wp_page"},
                                         {test::kKernelText + 0x3000, 0x100, "handle_mm_fault"},
                                         {test::kKernelText + 0x4000, 0x100, "exit_mmap"}}}));
    ASSERT_TRUE(
        (*writer)->add_symbols({ModuleKind::User, "init", "/init", {{test::kUserText, 0x100, "main"}}}));
    (*writer)->consume(events);
    ASSERT_TRUE((*writer)->finish());
}

class Verbs : public ::testing::Test {
protected:
    void SetUp() override {
        write_demonstration(path_, guest_.events());
        query_.file = "a.mmu";
    }

    std::string run(Verb verb, Output::Colour colour = Output::Colour::Never) {
        auto reader = log::Reader::open(path_);
        EXPECT_TRUE(reader);
        char* text = nullptr;
        size_t size = 0;
        std::FILE* stream = open_memstream(&text, &size);
        Output out(stream, colour);
        const auto done = verb(**reader, query_, out);
        std::fclose(stream);
        error_ = done ? "" : done.error().message;
        std::string result(text, size);
        std::free(text);
        return result;
    }
    nlohmann::json run_json(Verb verb) {
        query_.json = true;
        return nlohmann::json::parse(run(verb));
    }

    FakeGuest guest_ = demonstration();
    test::TempDir dir_;
    std::filesystem::path path_ = dir_ / "a.mmu";
    Query query_;
    std::string error_;
};

}  // namespace forkscope::tools
