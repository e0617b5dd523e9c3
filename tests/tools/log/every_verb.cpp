#include "tests/tools/log/every_verb.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/log/fake_guest.hpp"
#include "tools/log/export/export.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::test {

namespace {

using tools::Query;
using Verb = Result<> (*)(log::Reader&, const Query&, tools::Output&);

struct Question {
    const char* name;
    Verb verb;
    std::function<void(Query&)> with = [](Query&) {};
};

const std::vector<Question>& questions() {
    using namespace tools;
    static const std::vector<Question> kQuestions = {
        {"info", log_info},
        {"show", log_show, [](Query& q) { q.limit = 50; }},
        {"stats", log_stats},
        {"forks", log_forks},
        {"story", log_story},
        {"check", log_check, [](Query& q) { q.checks = "every"; }},
        {"tasks", log_tasks},
        {"tree", log_tree, [](Query& q) { q.limit = 50; }},
        {"diff", log_diff,
         [](Query& q) {
             q.from = "start";
             q.limit = 50;
         }},
        {"who", log_who,
         [](Query& q) {
             q.address = fmt::format("{:#x}", kUserHeap);
             q.task = "1";
         }},
        {"frame", log_frame, [](Query& q) { q.address = "0x105000"; }},
        {"tlb", log_tlb},
        {"faults", log_faults},
        {"syscalls", log_syscalls},
    };
    return kQuestions;
}

}  // namespace

void ask_every_verb(const std::filesystem::path& log, const std::filesystem::path& directory,
                    const std::function<void(const Answer&)>& answered) {
    const auto ask = [&](const std::string& question, Verb verb, const Query& query, bool json) {
        Answer answer;
        answer.question = question;
        answer.json = json;
        auto reader = log::Reader::open(log);
        if (!reader) {
            answer.error = reader.error().message;
            return answered(answer);
        }
        char* text = nullptr;
        size_t size = 0;
        std::FILE* stream = open_memstream(&text, &size);
        {
            tools::Output out(stream, tools::Output::Colour::Never);
            const auto done = verb(**reader, query, out);
            if (!done) answer.error = done.error().message.empty() ? "(nothing)" : done.error().message;
        }
        std::fclose(stream);
        answer.output.assign(text, size);
        std::free(text);
        answer.damage = (*reader)->damage().describe();
        answered(answer);
    };
    for (const bool json : {false, true}) {
        for (const Question& question : questions()) {
            Query query;
            query.file = log.string();
            query.json = json;
            question.with(query);
            ask(fmt::format("{}{}", question.name, json ? " --json" : ""), question.verb, query, json);
        }
    }
    for (const char* form : {"csv", "jsonl", "sqlite", "html", "perfetto", "dot"}) {
        Query query;
        query.file = log.string();
        query.format = form;
        query.output = (directory / "export").string();
        ask(fmt::format("export --to {}", form), tools::log_export, query, false);
        std::filesystem::remove(query.output);
    }
}

std::string fault_of(const Answer& answer) {
    const auto say = [&](std::string_view what) {
        return fmt::format("{}: {}: error '{}', damage '{}', output:\n{}", answer.question, what,
                           answer.error, answer.damage, answer.output);
    };
    if (answer.error.find('\n') != std::string::npos) return say("the error has several lines");
    if (answer.damage.find('\n') != std::string::npos) return say("the damage has several lines");
    if (!answer.error.empty()) return "";
    if (answer.output.empty()) return say("no answer");
    if (answer.json && !nlohmann::json::accept(answer.output)) return say("this is not JSON");
    if (answer.output.find(answer.damage) == std::string::npos) return say("the damage is not told");
    return "";
}

}  // namespace forkscope::test
