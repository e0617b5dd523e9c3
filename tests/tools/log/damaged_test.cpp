// Every verb and every exporter over files that are cut, changed, or of a later program: one clear line, and
// what is readable.
#include <algorithm>
#include <random>

#include "emu/log/format.hpp"
#include "tests/tools/log/every_verb.hpp"
#include "tests/tools/log/verbs_fixture.hpp"

namespace forkscope::tools {
namespace {

using test::Answer;

class DamagedFile : public Verbs {
protected:
    void SetUp() override {
        Verbs::SetUp();
        good_ = test::read_bytes(path_);
    }

    // All answers about these bytes, which must be in order; how many could not be given.
    unsigned ask(std::span<const uint8_t> bytes, const std::function<void(const Answer&)>& see = {}) {
        test::write_bytes(path_, bytes);
        unsigned refused = 0;
        test::ask_every_verb(path_, dir_ / "", [&](const Answer& answer) {
            EXPECT_EQ(test::fault_of(answer), "");
            refused += !answer.error.empty();
            if (see) see(answer);
        });
        return refused;
    }

    std::vector<uint8_t> good_;
};

TEST_F(DamagedFile, AWholeOneAnswersEverything) {
    EXPECT_EQ(ask(good_, [](const Answer& answer) { EXPECT_EQ(answer.damage, ""); }), 0u);
}

TEST_F(DamagedFile, CutAnywhere) {
    std::mt19937 random(1);
    for (unsigned n = 0; n < 60; ++n) {
        const size_t size = n == 0 ? 0 : n == 1 ? good_.size() - 1 : random() % good_.size();
        const auto cut = std::span(good_).first(size);
        ask(cut, [&](const Answer& answer) {
            // Either there is nothing to read, or it is said that something is missing.
            EXPECT_FALSE(answer.error.empty() && answer.damage.empty()) << answer.question << " of " << size;
        });
    }
}

TEST_F(DamagedFile, OneByteChanged) {
    std::mt19937 random(2);
    for (unsigned n = 0; n < 120; ++n) {
        std::vector<uint8_t> bytes = good_;
        const size_t at = n < 40 ? n : random() % bytes.size();
        bytes[at] ^= static_cast<uint8_t>(1 + random() % 255);
        ask(bytes, [&](const Answer& answer) {
            // It looks at every byte; the others at what they need.
            if (!answer.question.starts_with("info")) return;
            EXPECT_FALSE(answer.error.empty() && answer.damage.empty()) << "the byte at " << at;
        });
    }
}

TEST_F(DamagedFile, SeveralBytesChangedOrLost) {
    std::mt19937 random(3);
    for (unsigned n = 0; n < 60; ++n) {
        std::vector<uint8_t> bytes = good_;
        for (unsigned change = 0; change < 1 + n % 5; ++change) {
            const auto at = static_cast<ptrdiff_t>(random() % bytes.size());
            if (random() % 4 == 0) {
                bytes.erase(bytes.begin() + at,
                            bytes.begin() + std::min<ptrdiff_t>(at + 50, std::ssize(bytes)));
            } else {
                bytes[static_cast<size_t>(at)] = static_cast<uint8_t>(random());
            }
        }
        ask(bytes);
    }
}

TEST_F(DamagedFile, ALaterVersionIsReadAndSaidToBeOne) {
    std::vector<uint8_t> bytes = good_;
    const log::Bytes header = log::encode_file_header(log::kFormatVersion + 1);
    std::ranges::copy(header, bytes.begin());
    EXPECT_EQ(ask(bytes,
                  [](const Answer& answer) {
                      EXPECT_EQ(answer.damage, "");
                      EXPECT_NE(answer.output.find("version"), std::string::npos) << answer.question << ":\n"
                                                                                  << answer.output;
                  }),
              0u);
}

}  // namespace
}  // namespace forkscope::tools
