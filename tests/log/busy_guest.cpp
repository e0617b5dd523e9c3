// The busy guest: pages and instructions are drawn with the skew that programs have (a few hot ones, a
// long tail), so that the stream is neither noise nor a repetition.
#include "tests/log/busy_guest.hpp"

#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "tests/log/fake_guest.hpp"

namespace forkscope::test {

namespace {

// Ranks 0..n-1, rank r with weight 1/(r+1).
class Zipf {
public:
    explicit Zipf(unsigned n) : log_n_(std::log(static_cast<double>(n))) {}
    template <typename Random>
    unsigned operator()(Random& random) const {
        const double u = std::uniform_real_distribution<double>(0, 1)(random);
        return static_cast<unsigned>(std::exp(u * log_n_)) - 1;
    }

private:
    double log_n_;
};

class BusyGuest {
public:
    BusyGuest(uint64_t seed, const std::function<void(const log::Event&)>& sink) : random_(seed) {
        guest_.sink = [this, &sink](const log::Event& e) {
            ++count_;
            sink(e);
        };
        guest_.at(kUserText, 3);
        guest_.touch_new_pages(kUserText, kTextPages);
        guest_.touch_new_pages(kUserHeap, kHeapPages);
        running_.push_back(guest_.current().tid);
    }

    [[nodiscard]] uint64_t count() const { return count_; }

    void step() {
        const unsigned what = std::uniform_int_distribution<unsigned>(0, 999)(random_);
        if (what < 940) {
            compute();
        } else if (what < 980) {
            call_system();
        } else if (what < 992) {
            tick();
        } else if (what < 996 && running_.size() < 8) {
            running_.push_back(guest_.fork());
        } else if (running_.size() > 2) {
            end_one();
        }
    }

private:
    static constexpr unsigned kTextPages = 90;
    static constexpr unsigned kHeapPages = 300;
    static constexpr unsigned kKernelTextPages = 250;

    void pause() {
        guest_.advance(1 + static_cast<uint64_t>(std::exponential_distribution<double>(1.0 / 60)(random_)));
    }
    // One of a few hot instructions in the page.
    uint64_t instruction_in(uint64_t page) {
        return page + (Zipf(12)(random_) * 331 + (page >> 12) * 37) % 4096;
    }

    void compute() {
        for (unsigned i = 0; i < 6; ++i) {
            pause();
            const uint64_t text = kUserText + uint64_t{Zipf(kTextPages)(random_)} * 0x1000;
            guest_.at(instruction_in(text), 3);
            guest_.access(text, log::kAccessFetch);
            pause();
            const uint64_t data = kUserHeap + uint64_t{Zipf(kHeapPages)(random_)} * 0x1000 + random_() % 4096;
            if (random_() % 3 == 0) {
                guest_.write(data);
            } else {
                guest_.access(data, log::kAccessRead);
            }
        }
    }

    void kernel_work(unsigned pages) {
        for (unsigned i = 0; i < pages; ++i) {
            pause();
            const uint64_t text = kKernelText + uint64_t{Zipf(kKernelTextPages)(random_)} * 0x1000;
            guest_.at(instruction_in(text), 0);
            guest_.access(text, log::kAccessFetch);
            pause();
            const uint64_t data =
                kKernelText + 0x10'0000 + uint64_t{Zipf(1024 - kKernelTextPages - 8)(random_)} * 0x1000;
            guest_.access(data, random_() % 2 == 0 ? log::kAccessRead : log::kAccessWrite);
        }
    }

    void call_system() {
        const uint64_t number = Zipf(60)(random_);
        const uint64_t rip = instruction_in(kUserText + 0x3000);
        guest_.at(rip, 3);
        guest_.syscall(number, random_() % 64);
        kernel_work(4);
        guest_.at(rip + 2, 3);
        guest_.syscall_return(number, random_() % 512);
    }

    void tick() {
        guest_.interrupt(0x20);
        kernel_work(6);
        guest_.switch_to(running_[random_() % running_.size()]);
    }

    void end_one() {
        const uint32_t victim = running_.back();
        running_.pop_back();
        guest_.switch_to(victim);
        guest_.exit(0);
        guest_.switch_to(running_.front());
        guest_.reap(victim);
        guest_.at(kUserText + 0x10, 3);
    }

    std::mt19937_64 random_;
    FakeGuest guest_;
    std::vector<uint32_t> running_;
    uint64_t count_ = 0;
};

}  // namespace

void make_busy_stream(uint64_t count, uint64_t seed, const std::function<void(const log::Event&)>& sink) {
    BusyGuest guest(seed, sink);
    while (guest.count() < count) guest.step();
}

}  // namespace forkscope::test
