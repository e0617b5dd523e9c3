// What the C++ library needs of a kernel: exceptions in threads, futures, streams, files, locales, time.
// Prints the same everywhere.
#include <algorithm>
#include <any>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <regex>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace {

struct Base {
    virtual ~Base() = default;
};
struct Derived : Base {
    int value = 42;
};

struct Counted {
    static inline std::atomic<int> alive = 0;
    Counted() { ++alive; }
    Counted(const Counted&) { ++alive; }
    Counted& operator=(const Counted&) = default;
    ~Counted() { --alive; }
};

int deep(int n) {
    const Counted here;
    if (n == 0) throw std::runtime_error("from the depth");
    return deep(n - 1) + 1;
}

void exceptions() {
    try {
        deep(500);
    } catch (const std::exception& error) {
        std::cout << "caught " << error.what() << ", alive " << Counted::alive << '\n';
    }
    try {
        try {
            throw std::out_of_range("inner");
        } catch (...) {
            std::throw_with_nested(std::logic_error("outer"));
        }
    } catch (const std::logic_error& error) {
        try {
            std::rethrow_if_nested(error);
        } catch (const std::out_of_range& nested) {
            std::cout << error.what() << " with " << nested.what() << '\n';
        }
    }
    const std::unique_ptr<Base> base = std::make_unique<Derived>();
    std::cout << "cast " << dynamic_cast<Derived&>(*base).value << '\n';
    try {
        std::cout << std::any_cast<int>(std::any("text")) << '\n';
    } catch (const std::bad_any_cast&) {
        std::cout << "bad any_cast\n";
    }
    try {
        const std::vector<char> huge(std::size_t{1} << 46);
        std::cout << huge.size() << '\n';
    } catch (const std::bad_alloc&) {
        std::cout << "bad_alloc\n";
    }
}

void threads() {
    std::vector<std::thread> many;
    std::mutex lock;
    std::map<std::string, int> words;
    std::atomic<int> caught = 0;
    std::latch start(12);
    for (int t = 0; t < 12; ++t) {
        many.emplace_back([&, t] {
            start.arrive_and_wait();
            for (int i = 0; i < 300; ++i) {
                try {
                    if (i % 3 == 0) throw std::invalid_argument(std::to_string(i));
                    const std::lock_guard guard(lock);
                    ++words["word " + std::to_string((i * t) % 17)];
                } catch (const std::invalid_argument& error) {
                    caught += std::stoi(error.what()) == i ? 1 : 0;
                }
            }
        });
    }
    for (auto& thread : many) thread.join();
    const int total =
        std::accumulate(words.begin(), words.end(), 0, [](int sum, const auto& w) { return sum + w.second; });
    std::cout << "threads: " << words.size() << " words, " << total << " counted, " << caught << " caught\n";

    std::vector<std::future<long>> futures;
    for (long f = 0; f < 8; ++f) {
        futures.push_back(std::async(std::launch::async, [f] {
            if (f == 5) throw std::domain_error("five");
            long sum = 0;
            for (long i = 0; i < 20000; ++i) sum += i % (f + 2);
            return sum;
        }));
    }
    long sum = 0;
    for (auto& future : futures) {
        try {
            sum += future.get();
        } catch (const std::domain_error& error) {
            std::cout << "a future threw " << error.what() << '\n';
        }
    }
    std::cout << "futures: " << sum << '\n';
}

void waiting() {
    using namespace std::chrono_literals;
    std::shared_mutex shared;
    std::condition_variable_any changed;
    int stage = 0;
    std::jthread other([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            {
                const std::unique_lock guard(shared);
                ++stage;
            }
            changed.notify_all();
            std::this_thread::sleep_for(1ms);
        }
    });
    {
        std::shared_lock guard(shared);
        changed.wait(guard, [&] { return stage >= 5; });
    }
    other.request_stop();
    other.join();
    const auto before = std::chrono::steady_clock::now();
    std::timed_mutex held;
    held.lock();
    const bool got = std::async(std::launch::async, [&] { return held.try_lock_for(20ms); }).get();
    const auto waited = std::chrono::steady_clock::now() - before;
    std::cout << "waiting: stage reached, timed lock " << got << ", long enough " << (waited >= 20ms) << '\n';
    thread_local int mine = 1;
    std::thread([] { mine = 2; }).join();
    std::cout << "thread_local: " << mine << '\n';
}

void text() {
    std::ostringstream out;
    out << std::fixed << std::setprecision(3) << 2.0 / 3 << '|' << std::hex << std::setw(8)
        << std::setfill('0') << 48879 << '|' << std::boolalpha << true << '|' << std::quoted("a \"b\"");
    std::cout << out.str() << '\n';
    const std::string line = "pid=12 name=init; pid=345 name=sh;";
    const std::regex field(R"(pid=(\d+) name=(\w+))");
    for (auto it = std::sregex_iterator(line.begin(), line.end(), field); it != std::sregex_iterator();
         ++it) {
        std::cout << (*it)[2] << ':' << (*it)[1] << ' ';
    }
    std::mt19937_64 random(12345);
    std::vector<std::uint64_t> numbers(50000);
    std::generate(numbers.begin(), numbers.end(), std::ref(random));
    std::sort(numbers.begin(), numbers.end());
    std::cout << numbers.front() << ' ' << numbers.back() << '\n';
}

void files() {
    namespace fs = std::filesystem;
    const fs::path top = fs::current_path() / "cxx.d";
    fs::create_directories(top / "a" / "b");
    for (int i = 0; i < 20; ++i)
        std::ofstream(top / "a" / ("f" + std::to_string(i))) << std::string(100 * i, 'x');
    fs::create_symlink("f3", top / "a" / "link");
    fs::rename(top / "a" / "f1", top / "a" / "b" / "moved");
    fs::copy(top / "a", top / "copy", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    fs::resize_file(top / "a" / "f2", 5);
    fs::permissions(top / "a" / "f4", fs::perms::owner_read);
    std::uintmax_t size = 0;
    int regular = 0;
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
        if (!entry.is_regular_file()) continue;
        size += entry.file_size();
        ++regular;
    }
    std::error_code error;
    fs::remove(top / "a", error);
    std::cout << "files: " << regular << ", " << size << " bytes, " << fs::read_symlink(top / "copy" / "link")
              << ", " << error.message() << ", removed " << fs::remove_all(top) << '\n';
    try {
        std::cout << fs::file_size("nothing") << '\n';
    } catch (const fs::filesystem_error& missing) {
        std::cout << missing.code().message() << '\n';
    }
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    exceptions();
    threads();
    waiting();
    text();
    files();
    std::cout << std::system_category().message(11) << std::endl;
    std::set_terminate([] {
        std::cout << "terminate\n" << std::flush;
        std::_Exit(9);
    });
    std::thread([]() { throw 1; }).join();
}
