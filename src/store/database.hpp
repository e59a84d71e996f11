// Database: one SQLite file whose schema migrates itself, with errors that say what to do.
//
//   const std::vector<std::string> schema = {"CREATE TABLE release (at_ms INTEGER, name TEXT NOT NULL)
//   STRICT"}; Database database = Database::open(state / "state.db", schema).value(); Transaction change =
//   database.begin().value(); database.run("INSERT INTO release VALUES (?, ?)", {now, "first"}).value();
//   if (auto kept = change.commit(); !kept) return kept;
//   return database.each("SELECT at_ms, name FROM release WHERE at_ms >= ?", {since}, [&](const Row& row) {
//     releases.push_back({row.milliseconds(0), row.text(1)});
//   });
//
// Threads: one at a time. Several threads of one program each open a Database of their own on the same file,
// or guard one themselves; several processes may have the file open, too: who writes waits for the other, at
// most `Options::busy`. A Database must not be used by a child after fork().
//
// Kill and power failure: what was committed is there, what was not is not. Each commit is synchronised to
// the disk (synchronous = FULL): what a person was told (deployed, paused until noon) must outlive the power,
// and a controller commits a few times a second at most, so the milliseconds do not matter.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::store {

// What is given to one `?` of an SQL text. Text is not copied: it must live until the call returns, which the
// arguments of the call itself do. A double that is not a number is stored as NULL, as SQLite does.
class Value {
 public:
  Value(std::nullptr_t) {}
  template <std::integral T>
  requires(!std::same_as<T, char>) Value(T number)
      : held_(std::in_place_type<std::int64_t>, checked(number)) {}
  Value(double number) : held_(number) {}
  Value(base::Milliseconds time) : held_(std::in_place_type<std::int64_t>, time.count()) {}
  Value(std::string_view text) : held_(text) {}
  Value(const std::string& text) : held_(std::string_view(text)) {}
  Value(const char* text) : held_(std::string_view(text)) {}
  template <class T>
  Value(const std::optional<T>& value) {
    if (value) held_ = Value(*value).held_;
  }
  // For a BLOB column.
  static Value bytes(std::string_view content) { return Value(Bytes{content}); }

 private:
  friend class Database;
  struct Bytes {
    std::string_view content;
  };
  explicit Value(Bytes content) : held_(content) {}

  template <std::integral T>
  static std::int64_t checked(T number) {
    if constexpr (std::unsigned_integral<T> && sizeof(T) >= sizeof(std::int64_t)) {
      if (number > static_cast<T>(INT64_MAX)) too_large(number);
    }
    return static_cast<std::int64_t>(number);
  }
  [[noreturn]] static void too_large(std::uint64_t number);

  std::variant<std::monostate, std::int64_t, double, std::string_view, Bytes> held_;
};

// One row of an answer, valid within the call that it is given to. Columns count from 0. To ask a column for
// what it does not hold, or a NULL for a value, stops the program: in a STRICT table only a wrong query can.
class Row {
 public:
  std::int64_t integer(int column) const;
  bool boolean(int column) const { return integer(column) != 0; }
  double number(int column) const;  // of an integer, too
  base::Milliseconds milliseconds(int column) const { return base::Milliseconds(integer(column)); }
  std::optional<double> number_or_null(int column) const {
    return is_null(column) ? std::nullopt : std::optional(number(column));
  }
  std::string text(int column) const;
  std::string bytes(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  explicit Row(void* statement) : statement_(statement) {}
  void expect(int column, int type) const;
  void* statement_;
};

class Transaction;

class Database {
 public:
  struct Options {
    // How long a call waits while another process or thread writes.
    base::Milliseconds busy{5000};
  };

  // Opens the file, or creates it, for its owner only (mode 0600), and brings its schema up to date.
  //
  // `migrations`, oldest first, are SQL texts of one or more commands. A file says how many of them it has
  // had; the missing ones are run in order, each in one transaction, so that a program that is killed between
  // two of them goes on with the second. Foreign keys are checked after each. Requires: a migration that was
  // once released is never changed, and none begins or ends a transaction.
  // Errors: no database, or of another program, or of a newer version of this one, no permission: bad input;
  // a full disk, a damaged file, a file that another one holds for longer than `busy`: unavailable.
  static base::Result<Database> open(const std::filesystem::path& path,
                                     std::span<const std::string> migrations, const Options& options);
  static base::Result<Database> open(const std::filesystem::path& path,
                                     std::span<const std::string> migrations) {
    return open(path, migrations, Options{});
  }

  // Runs one command, and returns how many rows it inserted, changed or deleted. Each SQL text is prepared
  // once and kept: put values where the `?` are, never into the text.
  // Requires: as many values as there are `?`. Errors: as open(); a broken constraint: bad input.
  base::Result<std::int64_t> run(std::string_view sql, std::initializer_list<Value> values = {});

  // The key that the last INSERT of this Database gave to its row.
  std::int64_t last_key() const;

  // Gives each row of the answer to `row`, in the order of the query. Requires: `row` changes nothing in the
  // tables that are being read (collect first), and throws nothing.
  base::Result<void> each(std::string_view sql, std::initializer_list<Value> values,
                          const std::function<void(const Row&)>& row);

  // The first row of the answer, made into a value by `make(row)`; none where there is no row.
  template <class Make>
  auto first(std::string_view sql, std::initializer_list<Value> values, const Make& make)
      -> base::Result<std::optional<std::invoke_result_t<Make, const Row&>>> {
    std::optional<std::invoke_result_t<Make, const Row&>> found;
    base::Result<void> read = each(sql, values, [&](const Row& row) {
      if (!found) found = make(row);
    });
    if (!read) return read.error();
    return found;
  }

  // From here on, everything until Transaction::commit() happens as a whole or not at all. It waits for other
  // writers now, so that nothing in between fails for their sake. Requires: none is open in this Database.
  base::Result<Transaction> begin();

  // Reads the whole file and says whether it is damaged: takes a second for some hundred megabytes.
  base::Result<void> check();

  const std::filesystem::path& path() const;

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

 private:
  friend class Transaction;
  struct Connection;
  explicit Database(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

// Rolled back when it is destroyed without commit(). It must not outlive its Database; that may be moved.
class Transaction {
 public:
  // Errors: as Database::open(); then nothing of the transaction has happened.
  base::Result<void> commit();

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

 private:
  friend class Database;
  explicit Transaction(Database::Connection* connection) : connection_(connection) {}
  Database::Connection* connection_;  // null once it has ended
};

}  // namespace headroom::store
