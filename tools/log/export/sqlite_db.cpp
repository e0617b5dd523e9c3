// The one adapter to SQLite.
#include "tools/log/export/sqlite_db.hpp"

#include "tools/log/export/utf8.hpp"

namespace forkscope::tools {

Database::Database(const std::filesystem::path& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
        keep_error();
        return;
    }
    // Nobody else has the file, and it is thrown away if it does not become complete: no journal is needed.
    run("PRAGMA journal_mode = OFF");
    run("PRAGMA synchronous = OFF");
    run("PRAGMA locking_mode = EXCLUSIVE");
    run("PRAGMA cache_size = -65536");  // KiB
}

Database::~Database() { (void)sqlite3_close(db_); }

void Database::keep_error() {
    if (error_.empty()) error_ = sqlite3_errmsg(db_);
}

void Database::run(const char* sql) {
    if (failed()) return;
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) keep_error();
}

Insert::Insert(Database& db, const char* table, unsigned columns) : db_(db) {
    if (db_.failed()) return;
    std::string sql = "INSERT INTO " + std::string(table) + " VALUES (";
    for (unsigned i = 0; i < columns; ++i) sql += i == 0 ? "?" : ", ?";
    sql += ")";
    if (sqlite3_prepare_v2(db_.db_, sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK) db_.keep_error();
}

Insert::~Insert() { (void)sqlite3_finalize(statement_); }

void Insert::bind(int column, std::string_view text) {
    const std::string clean = as_utf8(text);
    (void)sqlite3_bind_text(statement_, column, clean.data(), static_cast<int>(clean.size()),
                            SQLITE_TRANSIENT);
}

void Insert::put() {
    if (sqlite3_step(statement_) == SQLITE_DONE) {
        ++rows_;
    } else {
        db_.keep_error();
    }
    (void)sqlite3_reset(statement_);
}

}  // namespace forkscope::tools
