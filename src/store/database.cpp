#include "store/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "store/system_error.hpp"

namespace headroom::store {
namespace fs = std::filesystem;

namespace {

// "Hdrm", in the header of the file: SQLite's place for whose database it is.
constexpr std::int64_t kApplication = 0x4864726D;
// SQL texts are constants of the program; that many mean that values were put into a text.
constexpr std::size_t kMostTexts = 500;

[[noreturn]] void broken(std::string_view rule, std::string_view evidence) {
  fmt::print(stderr, "store::Database requires {}: {}\n", rule, evidence);
  std::abort();
}

struct Words {
  base::ErrorKind kind;
  std::string found;
  std::string fix;
};

Words words_for(int code, std::string_view message) {
  using enum base::ErrorKind;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {unavailable, "another program holds the database for too long",
              "try again; see who has it open with fuser"};
    case SQLITE_FULL:
      return {unavailable, "no space is left", "free some space (df -h shows how much there is)"};
    case SQLITE_NOTADB:
      return {bad_input, "it is no database of Headroom",
              "move it away, and a new one is created; or name the right file"};
    case SQLITE_CORRUPT:
      return {unavailable, fmt::format("the database is damaged ({})", message),
              "check the disk; put back a copy of the file, or move it away and a new one is created"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {bad_input, "permission to write is denied",
              "check the owner and mode of the file and of its folder"};
    case SQLITE_CONSTRAINT:
      return {bad_input, fmt::format("it would break a rule of the database ({})", message), ""};
    case SQLITE_NOMEM:
      return {unavailable, "no memory is left", "free some memory"};
    case SQLITE_ERROR:
      // The SQL does not fit the tables: they are not those that the migrations made.
      return {unavailable, fmt::format("the database does not fit this program ({})", message),
              "somebody changed its tables: put back a copy of the file, or move it away"};
    default:
      return {unavailable, fmt::format("the database cannot be used ({})", message),
              "check the disk and the file system"};
  }
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

// A statement back to its beginning, without the values it was given: they do not live longer than the call.
struct Reset {
  void operator()(sqlite3_stmt* statement) const {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

bool blank(const char* sql) {
  return std::string_view(sql).find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

}  // namespace

void Value::too_large(std::uint64_t number) { broken("numbers below 2^63", std::to_string(number)); }

struct Database::Connection {
  fs::path path;
  sqlite3* handle = nullptr;
  std::map<std::string, Prepared, std::less<>> prepared;
  bool in_transaction = false;

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    prepared.clear();
    sqlite3_close(handle);
  }

  base::Error error(int code) const {
    if ((code & 0xff) == SQLITE_MISUSE || (code & 0xff) == SQLITE_RANGE) {
      broken("one thread at a time and as many values as there are ?", sqlite3_errmsg(handle));
    }
    const int number = sqlite3_system_errno(handle);
    const int plain = code & 0xff;
    if (plain == SQLITE_CANTOPEN && number != 0) return failed_to("write", path, number);
    // A file that the file system cannot make larger is a full disk, whatever call it was that failed.
    if (plain == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT || number == EFBIG)) {
      return failed_to("write", path, number);
    }
    Words words = words_for(code, sqlite3_errmsg(handle));
    return {words.kind, {{base::Place{path.string()}, std::move(words.found), std::move(words.fix)}}};
  }

  base::Result<void> execute(const char* sql) const {
    const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return error(code);
    return {};
  }

  base::Result<sqlite3_stmt*> prepare(std::string_view sql, Prepared& own) {
    const auto found = prepared.find(sql);
    if (found != prepared.end() && sqlite3_stmt_busy(found->second.get()) == 0) return found->second.get();
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, &rest);
    own.reset(statement);
    if (code != SQLITE_OK) return error(code);
    if (statement == nullptr || !blank(std::string(rest, sql.data() + sql.size()).c_str())) {
      broken("one command in a text", sql);
    }
    // The text is being read by a caller further up: this one is for the moment only.
    if (found != prepared.end()) return statement;
    if (prepared.size() == kMostTexts) broken("values to be put where the ? are, not into the text", sql);
    return prepared.emplace(sql, std::move(own)).first->second.get();
  }

  template <class Held>
  base::Result<void> bind(sqlite3_stmt* statement, int index, const Held& held) const {
    const int code = std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            return sqlite3_bind_null(statement, index);
          } else if constexpr (std::is_same_v<T, std::int64_t>) {
            return sqlite3_bind_int64(statement, index, value);
          } else if constexpr (std::is_same_v<T, double>) {
            return sqlite3_bind_double(statement, index, value);
          } else if constexpr (std::is_same_v<T, std::string_view>) {
            // A null pointer would bind NULL, and an empty view may have one.
            return sqlite3_bind_text64(statement, index, value.data() == nullptr ? "" : value.data(),
                                       value.size(), SQLITE_STATIC, SQLITE_UTF8);
          } else {
            const std::string_view content = value.content;
            return sqlite3_bind_blob64(statement, index, content.data() == nullptr ? "" : content.data(),
                                       content.size(), SQLITE_STATIC);
          }
        },
        held);
    if (code != SQLITE_OK) return error(code);
    return {};
  }

  // A full or failing disk makes SQLite roll back by itself. What the caller goes on to do must then not
  // happen outside of the transaction that it believes to be in.
  base::Result<void> expect_transaction() const {
    if (!in_transaction || sqlite3_get_autocommit(handle) == 0) return {};
    return base::Error{base::ErrorKind::unavailable,
                       {{base::Place{path.string()}, "the change was undone because a part of it failed",
                         "try again when the cause is mended"}}};
  }

  base::Result<std::int64_t> pragma(const char* sql) {
    Prepared own;
    base::Result<sqlite3_stmt*> statement = prepare(sql, own);
    if (!statement) return statement.error();
    const std::unique_ptr<sqlite3_stmt, Reset> reset(*statement);
    const int code = sqlite3_step(*statement);
    if (code != SQLITE_ROW) return code == SQLITE_DONE ? base::Result<std::int64_t>(0) : error(code);
    return sqlite3_column_int64(*statement, 0);
  }

  base::Result<void> configure(const Options& options);
  base::Result<void> migrate(std::span<const std::string> migrations);
  base::Result<bool> migrate_one(std::span<const std::string> migrations);
};

base::Result<void> Database::Connection::configure(const Options& options) {
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(options.busy.count()));
  // What stands in the file is not trusted: it cannot run functions of SQL, and no SQL can write its inside.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // The switch to the write-ahead log needs the file for itself and does not wait for it as other calls do.
  constexpr int kPause = 10;
  for (std::int64_t waited = 0;; waited += kPause) {
    base::Result<void> done = execute(
        "PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "PRAGMA journal_size_limit = 16777216");
    const bool busy = !done && (sqlite3_errcode(handle) & 0xff) == SQLITE_BUSY;
    if (!busy || waited >= options.busy.count()) return done;
    sqlite3_sleep(kPause);
  }
}

// Whether one was run; false: nothing is missing.
base::Result<bool> Database::Connection::migrate_one(std::span<const std::string> migrations) {
  const auto place = [&] { return base::Place{path.string()}; };
  if (base::Result<void> begun = execute("BEGIN IMMEDIATE"); !begun) return begun.error();
  // Read within the transaction: another process may have run it meanwhile.
  const base::Result<std::int64_t> application = pragma("PRAGMA application_id");
  if (!application) return application.error();
  const base::Result<std::int64_t> version = pragma("PRAGMA user_version");
  if (!version) return version.error();
  const base::Result<std::int64_t> tables = pragma("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  const bool fresh = *application == 0 && *version == 0 && *tables == 0;
  if (!fresh && *application != kApplication) {
    return base::bad_input(place(), "it is a database of another program",
                           "move it away, and a new one is created; or name the right file");
  }
  const auto newest = static_cast<std::int64_t>(migrations.size());
  if (*version < 0 || *version > newest) {
    return base::bad_input(place(),
                           fmt::format("it was written by a newer Headroom (its schema is number {}, this "
                                       "program knows them up to {})",
                                       *version, newest),
                           "use that newer Headroom, or another state folder");
  }
  if (*version == newest && !fresh) {
    if (base::Result<void> ended = execute("COMMIT"); !ended) return ended.error();
    return false;
  }
  std::string sql;
  if (*version < newest) {
    sql = migrations[static_cast<std::size_t>(*version)];
    if (base::Result<void> done = execute(sql.c_str()); !done) return done.error();
    if (sqlite3_get_autocommit(handle) != 0) broken("migrations that end no transaction", sql);
    Prepared own;
    const base::Result<sqlite3_stmt*> dangling = prepare("PRAGMA foreign_key_check", own);
    if (!dangling) return dangling.error();
    const std::unique_ptr<sqlite3_stmt, Reset> reset(*dangling);
    const int code = sqlite3_step(*dangling);
    if (code == SQLITE_ROW) {
      return base::Error{
          base::ErrorKind::unavailable,
          {{place(), fmt::format("migration {} would leave rows that refer to none", *version + 1),
            "report this with the file; nothing in it was changed"}}};
    }
    if (code != SQLITE_DONE) return error(code);
  }
  const std::string end = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT",
                                      kApplication, std::min(*version + 1, newest));
  if (base::Result<void> ended = execute(end.c_str()); !ended) return ended.error();
  return *version + 1 < newest;
}

base::Result<void> Database::Connection::migrate(std::span<const std::string> migrations) {
  // Off while a migration may have to drop and rebuild a table that others refer to.
  if (base::Result<void> off = execute("PRAGMA foreign_keys = OFF"); !off) return off;
  for (;;) {
    base::Result<bool> again = migrate_one(migrations);
    if (!again) {
      base::Error error = std::move(again.error());
      if (sqlite3_get_autocommit(handle) == 0) (void)execute("ROLLBACK");
      return error;
    }
    if (!*again) break;
  }
  return execute("PRAGMA foreign_keys = ON");
}

base::Result<Database> Database::open(const fs::path& path, std::span<const std::string> migrations,
                                      const Options& options) {
  auto connection = std::make_unique<Connection>();
  connection->path = path;
  std::error_code error;
  // SQLite gives a meaning to some relative names.
  const fs::path absolute = fs::absolute(path, error);
  if (fs::is_directory(absolute, error)) return failed_to("write", path, EISDIR);
  // Created here, so that it is never readable by others, and without opening it: to close any descriptor of
  // the file would release the locks that other connections of this process hold on it. Its log files take
  // their mode from it.
  if (::mknod(absolute.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return failed_to("write", path, errno);
  }
  const int code = sqlite3_open_v2(absolute.c_str(), &connection->handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (connection->handle == nullptr) return base::unavailable("no memory is left to open a database");
  if (code != SQLITE_OK) return connection->error(code);
  if (base::Result<void> done = connection->configure(options); !done) return done.error();
  if (base::Result<void> done = connection->migrate(migrations); !done) return done.error();
  // One that was copied here may be readable by all; if the mode cannot be changed, it is another user's.
  struct stat status {};
  if (::stat(absolute.c_str(), &status) == 0 && (status.st_mode & 0077U) != 0 &&
      ::chmod(absolute.c_str(), 0600) != 0) {
    return failed_to("write", path, errno);
  }
  return Database(std::move(connection));
}

base::Result<std::int64_t> Database::run(std::string_view sql, std::initializer_list<Value> values) {
  sqlite3* const handle = connection_->handle;
  const std::int64_t before = sqlite3_total_changes64(handle);
  if (base::Result<void> done = each(sql, values, [](const Row&) {}); !done) return done.error();
  // Of a command that changes no row, SQLite would tell the number of the one before.
  return sqlite3_total_changes64(handle) == before ? 0 : sqlite3_changes64(handle);
}

std::int64_t Database::last_key() const { return sqlite3_last_insert_rowid(connection_->handle); }

base::Result<void> Database::each(std::string_view sql, std::initializer_list<Value> values,
                                  const std::function<void(const Row&)>& row) {
  if (base::Result<void> inside = connection_->expect_transaction(); !inside) return inside;
  Prepared own;
  base::Result<sqlite3_stmt*> prepared = connection_->prepare(sql, own);
  if (!prepared) return prepared.error();
  sqlite3_stmt* const statement = *prepared;
  const std::unique_ptr<sqlite3_stmt, Reset> reset(statement);
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(values.size())) {
    broken("as many values as there are ?", sql);
  }
  int index = 0;
  for (const Value& value : values) {
    if (base::Result<void> bound = connection_->bind(statement, ++index, value.held_); !bound) return bound;
  }
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return connection_->error(code);
    row(Row(statement));
  }
}

base::Result<Transaction> Database::begin() {
  if (connection_->in_transaction) broken("one transaction at a time", connection_->path.string());
  if (base::Result<void> begun = connection_->execute("BEGIN IMMEDIATE"); !begun) return begun.error();
  connection_->in_transaction = true;
  return Transaction(connection_.get());
}

base::Result<void> Database::check() {
  std::string found;
  base::Result<void> read = each("PRAGMA quick_check(1)", {}, [&](const Row& row) { found = row.text(0); });
  if (!read) return read;
  if (found == "ok") return {};
  Words words = words_for(SQLITE_CORRUPT, found);
  return base::Error{words.kind,
                     {{base::Place{path().string()}, std::move(words.found), std::move(words.fix)}}};
}

const fs::path& Database::path() const { return connection_->path; }

Database::Database(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

void Row::expect(int column, int type) const {
  auto* const statement = static_cast<sqlite3_stmt*>(statement_);
  if (column < 0 || column >= sqlite3_column_count(statement)) {
    broken("columns that the query has", fmt::format("column {} of {}", column, sqlite3_sql(statement)));
  }
  const int found = sqlite3_column_type(statement, column);
  if (found == type || (type == SQLITE_FLOAT && found == SQLITE_INTEGER)) return;
  broken("a column to be read as what it holds",
         fmt::format("column {} ({}) of {}", column, sqlite3_column_name(statement, column),
                     sqlite3_sql(statement)));
}

std::int64_t Row::integer(int column) const {
  expect(column, SQLITE_INTEGER);
  return sqlite3_column_int64(static_cast<sqlite3_stmt*>(statement_), column);
}

double Row::number(int column) const {
  expect(column, SQLITE_FLOAT);
  return sqlite3_column_double(static_cast<sqlite3_stmt*>(statement_), column);
}

std::string Row::text(int column) const {
  expect(column, SQLITE_TEXT);
  auto* const statement = static_cast<sqlite3_stmt*>(statement_);
  const unsigned char* text = sqlite3_column_text(statement, column);
  return text == nullptr ? std::string()
                         : std::string(reinterpret_cast<const char*>(text),
                                       static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
}

std::string Row::bytes(int column) const {
  expect(column, SQLITE_BLOB);
  auto* const statement = static_cast<sqlite3_stmt*>(statement_);
  const void* content = sqlite3_column_blob(statement, column);
  return content == nullptr ? std::string()
                            : std::string(static_cast<const char*>(content),
                                          static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
}

bool Row::is_null(int column) const {
  auto* const statement = static_cast<sqlite3_stmt*>(statement_);
  if (column < 0 || column >= sqlite3_column_count(statement)) expect(column, SQLITE_NULL);
  return sqlite3_column_type(statement, column) == SQLITE_NULL;
}

base::Result<void> Transaction::commit() {
  if (connection_ == nullptr) broken("commit() once", "the transaction has ended");
  Database::Connection& connection = *std::exchange(connection_, nullptr);
  base::Result<void> done = connection.expect_transaction();
  if (done) done = connection.execute("COMMIT");
  if (sqlite3_get_autocommit(connection.handle) == 0) (void)connection.execute("ROLLBACK");
  connection.in_transaction = false;
  return done;
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  if (connection_ == nullptr) return;
  if (sqlite3_get_autocommit(connection_->handle) == 0) (void)connection_->execute("ROLLBACK");
  connection_->in_transaction = false;
}

}  // namespace headroom::store
