// Exports of the pretend machine's log into a directory of the test's own.
#pragma once

#include <fstream>
#include <iterator>

#include "tests/tools/log/verbs_fixture.hpp"
#include "tools/log/export/export.hpp"

namespace forkscope::tools {

class Exports : public Verbs {
protected:
    // Exports to a file and gives its content; "" and error_ if it failed.
    std::string exported(const std::string& format, const std::string& name = "out") {
        query_.format = format;
        query_.output = (dir_ / name).string();
        summary_ = run(log_export);
        return content(dir_ / name);
    }
    static std::string content(const std::filesystem::path& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    // Names of the files beside the log.
    [[nodiscard]] std::vector<std::string> other_files() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_.parent_path()))
            if (entry.path() != path_) names.push_back(entry.path().filename());
        return names;
    }

    std::string summary_;
};

}  // namespace forkscope::tools
