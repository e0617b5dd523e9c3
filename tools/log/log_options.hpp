// The options that verbs of `forkscope log` have in common.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/log/verbs/query.hpp"

namespace forkscope::tools {

// Which of them a verb has: a set of these.
enum Option : unsigned {
    kTime = 1,
    kTask = 2,
    kRoot = 4,
    kVa = 8,
    kKind = 16,
    kLevel = 32,
    kEvents = kVa | kKind | kLevel,
    kAt = 64,
    kForks = 128,
    kSummary = 256,
    kFork = 512,      // a fork's number may follow the file
    kAddress = 1024,  // an address must
    kChecks = 2048,
    kRam = 4096,
    kExport = 8192,
};

// Lets `verb` fill them into the query.
void add_options(CLI::App& verb, Query& query, unsigned which);

}  // namespace forkscope::tools
