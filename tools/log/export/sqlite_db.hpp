// A new SQLite database, written once, front to back. The first thing that goes wrong is kept; after it
// nothing is done any more.
#pragma once

#include <sqlite3.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "emu/base/result.hpp"

namespace forkscope::tools {

class Database {
public:
    // The file is there and empty.
    explicit Database(const std::filesystem::path& path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void run(const char* sql);
    [[nodiscard]] bool failed() const { return !error_.empty(); }
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    friend class Insert;
    void keep_error();

    sqlite3* db_ = nullptr;
    std::string error_;
};

// Puts rows into one table.
class Insert {
public:
    Insert(Database& db, const char* table, unsigned columns);
    ~Insert();
    Insert(const Insert&) = delete;
    Insert& operator=(const Insert&) = delete;

    // A value a column: numbers, text, std::optional of these; std::nullopt is NULL.
    template <typename... Values>
    void row(const Values&... values) {
        if (db_.failed()) return;
        int column = 0;
        (bind(++column, values), ...);
        put();
    }

    [[nodiscard]] uint64_t rows() const { return rows_; }

private:
    // SQLite's integers are signed; the bits stay as they are.
    void bind(int column, uint64_t value) {
        (void)sqlite3_bind_int64(statement_, column, std::bit_cast<int64_t>(value));
    }
    void bind(int column, int64_t value) { (void)sqlite3_bind_int64(statement_, column, value); }
    void bind(int column, uint32_t value) { bind(column, uint64_t{value}); }
    void bind(int column, bool value) { (void)sqlite3_bind_int(statement_, column, value ? 1 : 0); }
    void bind(int column, std::string_view text);
    void bind(int column, const std::string& text) { bind(column, std::string_view(text)); }
    void bind(int column, const char* text) { bind(column, std::string_view(text)); }
    void bind(int column, std::nullopt_t) { (void)sqlite3_bind_null(statement_, column); }
    template <typename T>
    void bind(int column, const std::optional<T>& value) {
        if (value) return bind(column, *value);
        bind(column, std::nullopt);
    }
    void put();

    Database& db_;
    sqlite3_stmt* statement_ = nullptr;
    uint64_t rows_ = 0;
};

}  // namespace forkscope::tools
