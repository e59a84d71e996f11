#include "store/database.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "store/file.hpp"
#include "store/small_disk.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::store {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;
using base::Milliseconds;
using Schema = std::vector<std::string>;

const Schema kSchema = {
    "CREATE TABLE zone (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE instance (id INTEGER PRIMARY KEY, zone INTEGER NOT NULL REFERENCES zone (id),"
    " load REAL, note TEXT, picture BLOB) STRICT"};

Database opened(const fs::path& path, const Schema& schema = kSchema) {
  base::Result<Database> database = Database::open(path, schema);
  EXPECT_TRUE(database.has_value()) << base::to_string(database.error());
  return std::move(database.value());
}

std::int64_t count(Database& database, const std::string& table) {
  return database.first("SELECT count(*) FROM " + table, {}, [](const Row& row) { return row.integer(0); })
      .value()
      .value();
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return status.st_mode & 07777U;
}

// Runs it in a process of its own, which then ends as the function says.
int status_of_child(const std::function<void()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    run();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Database, gives_back_each_type_as_it_was_stored) {
  TemporaryFolder folder;
  Database database = opened(folder.path() / "state.db");
  database.run("INSERT INTO zone VALUES (?, ?)", {7, "a"}).value();
  const std::string nul_within("x\0y", 3);
  database
      .run("INSERT INTO instance VALUES (?, ?, ?, ?, ?)",
           {INT64_MIN, 7, 0.1, nul_within, Value::bytes(std::string_view("\0\xff", 2))})
      .value();
  database.run("INSERT INTO instance VALUES (?, ?, ?, ?, ?)", {Milliseconds(5), 7, 2.0, "", nullptr}).value();
  const std::optional<std::string> none;
  database
      .run("INSERT INTO instance VALUES (?, ?, ?, ?, ?)", {6, true ? 7 : 0, nullptr, none, Value::bytes("")})
      .value();

  int rows = 0;
  const auto read = database.each("SELECT id, zone, load, note, picture FROM instance ORDER BY id", {},
                                  [&](const Row& row) {
                                    if (rows == 0) {
                                      EXPECT_EQ(row.integer(0), INT64_MIN);
                                      EXPECT_EQ(row.number(2), 0.1);
                                      EXPECT_EQ(row.text(3), nul_within);
                                      EXPECT_EQ(row.bytes(4), std::string("\0\xff", 2));
                                    } else if (rows == 1) {
                                      EXPECT_EQ(row.milliseconds(0), Milliseconds(5));
                                      EXPECT_EQ(row.text(3), "");
                                      EXPECT_TRUE(row.is_null(4));
                                    } else {
                                      EXPECT_TRUE(row.is_null(2));
                                      EXPECT_TRUE(row.is_null(3));
                                      EXPECT_EQ(row.bytes(4), "");
                                    }
                                    ++rows;
                                  });
  EXPECT_TRUE(read.has_value());
  EXPECT_EQ(rows, 3);
}

TEST(Database, says_how_many_rows_changed_and_which_key_was_given) {
  TemporaryFolder folder;
  Database database = opened(folder.path() / "state.db");
  EXPECT_EQ(database.run("INSERT INTO zone (name) VALUES (?), (?)", {"a", "b"}).value(), 2);
  EXPECT_EQ(database.last_key(), 2);
  EXPECT_EQ(database.run("UPDATE zone SET name = name || 'x'").value(), 2);
  EXPECT_EQ(database.run("DELETE FROM zone WHERE name = ?", {"none"}).value(), 0);
  EXPECT_EQ(database.run("CREATE TABLE other (x INTEGER) STRICT").value(), 0);
  EXPECT_FALSE(database
                   .first("SELECT id FROM zone WHERE name = ?", {"none"},
                          [](const Row& row) { return row.integer(0); })
                   .value()
                   .has_value());
}

TEST(Database, one_text_may_be_asked_again_while_its_rows_are_read) {
  TemporaryFolder folder;
  Database database = opened(folder.path() / "state.db");
  database.run("INSERT INTO zone (name) VALUES ('a'), ('b'), ('c')").value();
  int pairs = 0;
  const std::string all = "SELECT name FROM zone";
  const auto inner = [&](const Row&) {
    EXPECT_TRUE(database.each(all, {}, [&](const Row&) { ++pairs; }).has_value());
  };
  EXPECT_TRUE(database.each(all, {}, inner).has_value());
  EXPECT_EQ(pairs, 9);  // 3 x 3
}

TEST(Database, is_for_its_owner_only_whatever_the_umask) {
  TemporaryFolder folder;
  const mode_t before = ::umask(0);
  Database database = opened(folder.path() / "state.db");
  ::umask(before);
  database.run("INSERT INTO zone (name) VALUES ('a')").value();
  EXPECT_EQ(mode_of(folder.path() / "state.db"), 0600U);
  EXPECT_EQ(mode_of(folder.path() / "state.db-wal"), 0600U);
}

TEST(Database, one_that_was_copied_with_a_wider_mode_is_narrowed) {
  TemporaryFolder folder;
  { Database database = opened(folder.path() / "state.db"); }
  fs::permissions(folder.path() / "state.db", fs::perms(0644));
  Database database = opened(folder.path() / "state.db");
  EXPECT_EQ(mode_of(folder.path() / "state.db"), 0600U);
}

TEST(Transaction, happens_as_a_whole_or_not_at_all) {
  TemporaryFolder folder;
  Database database = opened(folder.path() / "state.db");
  {
    const Transaction given_up = database.begin().value();
    database.run("INSERT INTO zone (name) VALUES ('a')").value();
  }
  EXPECT_EQ(count(database, "zone"), 0);
  Transaction kept = database.begin().value();
  database.run("INSERT INTO zone (name) VALUES ('a')").value();
  Database moved = std::move(database);
  ASSERT_TRUE(kept.commit().has_value());
  EXPECT_EQ(count(moved, "zone"), 1);
}

TEST(Transaction, goes_on_after_a_command_that_broke_a_rule) {
  TemporaryFolder folder;
  Database database = opened(folder.path() / "state.db");
  Transaction change = database.begin().value();
  database.run("INSERT INTO zone (name) VALUES ('a')").value();
  const auto twice = database.run("INSERT INTO zone (name) VALUES ('a')");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().kind, ErrorKind::bad_input);
  EXPECT_NE(base::to_string(twice.error()).find("UNIQUE constraint failed: zone.name"), std::string::npos);
  ASSERT_TRUE(change.commit().has_value());
  EXPECT_EQ(count(database, "zone"), 1);
}

TEST(Transaction, of_a_process_that_is_killed_leaves_what_was_before) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  const int status = status_of_child([&] {
    Database database = opened(path);
    database.run("INSERT INTO zone (name) VALUES ('committed')").value();
    Transaction change = database.begin().value();
    // More than fits the memory that SQLite keeps pages in, so that pages of the transaction reach the file.
    for (int i = 0; i < 4000; ++i) {
      database.run("INSERT INTO zone (name) VALUES (?)", {std::to_string(i) + std::string(2000, 'x')})
          .value();
    }
    ::kill(::getpid(), SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_GT(fs::file_size(folder.path() / "state.db-wal"), 4'000'000U);
  Database database = opened(path);
  EXPECT_EQ(count(database, "zone"), 1);
  ASSERT_TRUE(database.check().has_value());
  Transaction change = database.begin().value();
  database.run("INSERT INTO zone (name) VALUES ('after')").value();
  EXPECT_TRUE(change.commit().has_value());
}

// The original rewrote its one file from several threads, each from a stale copy (requirements E11).
TEST(B_E11, processes_and_threads_that_write_at_once_lose_nothing) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  const auto write = [&] {
    Database database = opened(path);  // the first of them creates it
    for (int i = 0; i < 50; ++i) {
      Transaction change = database.begin().value();
      const std::int64_t before = count(database, "zone");
      database.run("INSERT INTO zone (name) VALUES (?)", {before}).value();
      ASSERT_TRUE(change.commit().has_value());
    }
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) {
      write();
      ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back(write);
  for (std::thread& thread : threads) thread.join();
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  Database database = opened(path);
  EXPECT_EQ(count(database, "zone"), 200);  // 4 x 50
  EXPECT_TRUE(database.check().has_value());
}

TEST(Database, that_another_one_holds_is_waited_for_and_then_an_error) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  Database holder = opened(path);
  const Transaction held = holder.begin().value();
  Database::Options impatient;
  impatient.busy = Milliseconds(20);
  // Opening needs to read only, but checks the schema as one that may change it.
  const auto second = Database::open(path, kSchema, impatient);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
  EXPECT_NE(base::to_string(second.error()).find("state.db: another program holds the database"),
            std::string::npos);
}

TEST(Database, readers_do_not_wait_for_a_writer_and_see_what_was_before) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  Database writer = opened(path);
  Database reader = opened(path);
  Transaction change = writer.begin().value();
  writer.run("INSERT INTO zone (name) VALUES ('a')").value();
  EXPECT_EQ(count(reader, "zone"), 0);
  ASSERT_TRUE(change.commit().has_value());
  EXPECT_EQ(count(reader, "zone"), 1);
}

TEST(Database, foreign_keys_are_kept) {
  TemporaryFolder folder;
  Database database = opened(folder.path() / "state.db");
  const auto dangling = database.run("INSERT INTO instance (zone) VALUES (1)");
  ASSERT_FALSE(dangling.has_value());
  EXPECT_NE(base::to_string(dangling.error()).find("FOREIGN KEY constraint failed"), std::string::npos);
}

TEST(Migrations, are_run_once_and_in_order) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  Schema schema = kSchema;
  {
    Database database = opened(path, schema);
    database.run("INSERT INTO zone (name) VALUES ('a')").value();
  }
  schema.emplace_back("ALTER TABLE zone ADD COLUMN open INTEGER NOT NULL DEFAULT 1");
  schema.emplace_back("INSERT INTO zone (name, open) SELECT name || '2', 0 FROM zone");
  for (int time = 0; time < 2; ++time) {
    Database database = opened(path, schema);
    EXPECT_EQ(count(database, "zone"), 2);
    EXPECT_EQ(count(database, "zone WHERE open = 1"), 1);
  }
}

TEST(Migrations, one_that_fails_changes_nothing_and_keeps_those_before_it) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  const Schema broken = {kSchema[0], "CREATE TABLE first (x INTEGER) STRICT",
                         "CREATE TABLE second (x INTEGER) STRICT; INSERT INTO none VALUES (1)"};
  const auto failed = Database::open(path, broken);
  ASSERT_FALSE(failed.has_value());
  EXPECT_NE(base::to_string(failed.error()).find("no such table: none"), std::string::npos);
  Database database = opened(path, {broken[0], broken[1]});
  EXPECT_EQ(count(database, "sqlite_schema WHERE name = 'first'"), 1);
  EXPECT_EQ(count(database, "sqlite_schema WHERE name = 'second'"), 0);
}

TEST(Migrations, may_rebuild_a_table_that_others_refer_to_but_leave_none_that_refers_to_nothing) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  {
    Database database = opened(path);
    database.run("INSERT INTO zone VALUES (1, 'a')").value();
    database.run("INSERT INTO instance (zone) VALUES (1)").value();
  }
  const std::string rebuild =
      "CREATE TABLE built (id INTEGER PRIMARY KEY, name TEXT) STRICT; INSERT INTO built SELECT * FROM zone;"
      "DROP TABLE zone; ALTER TABLE built RENAME TO zone";
  {
    Database database = opened(path, {kSchema[0], rebuild});
    EXPECT_EQ(count(database, "instance JOIN zone ON zone.id = instance.zone"), 1);
    EXPECT_FALSE(database.run("INSERT INTO instance (zone) VALUES (2)").has_value());
  }
  const auto dangling = Database::open(path, Schema{kSchema[0], rebuild, "DELETE FROM zone"});
  ASSERT_FALSE(dangling.has_value());
  EXPECT_NE(base::to_string(dangling.error()).find("migration 3 would leave rows that refer to none"),
            std::string::npos);
  Database database = opened(path, {kSchema[0], rebuild});
  EXPECT_EQ(count(database, "zone"), 1);
}

TEST(Database, of_a_newer_version_is_refused_and_left_alone) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  { Database database = opened(path, {kSchema[0], "CREATE TABLE later (x INTEGER) STRICT"}); }
  const std::string before = read_file(path).value();
  const auto older = Database::open(path, kSchema);
  ASSERT_FALSE(older.has_value());
  EXPECT_EQ(older.error().kind, ErrorKind::bad_input);
  const std::string text = base::to_string(older.error());
  EXPECT_NE(text.find("state.db: it was written by a newer Headroom (its schema is number 2"),
            std::string::npos)
      << text;
  EXPECT_EQ(read_file(path).value(), before);
}

TEST(Database, a_file_that_is_none_is_refused_and_left_alone) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  const std::string content = "name: shop\n" + std::string(2000, '#');
  std::ofstream(path) << content;
  const auto refused = Database::open(path, kSchema);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
  EXPECT_NE(base::to_string(refused.error()).find("state.db: it is no database of Headroom"),
            std::string::npos);
  EXPECT_EQ(read_file(path).value(), content);
}

TEST(Database, of_another_program_is_refused) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  {
    Database database = opened(path);
    database.run("PRAGMA application_id = 0").value();
  }
  const auto refused = Database::open(path, kSchema);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(base::to_string(refused.error()).find("of another program"), std::string::npos);
}

TEST(Database, a_damaged_one_says_so) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "state.db";
  {
    Database database = opened(path);
    for (int i = 0; i < 1000; ++i) {
      database.run("INSERT INTO zone (name) VALUES (?)", {std::to_string(i) + std::string(100, 'x')}).value();
    }
  }
  // Everything behind the first page, which holds the schema: 4096 bytes each.
  std::string content = read_file(path).value();
  ASSERT_GT(content.size(), 20U * 4096U);
  for (std::size_t i = 4096; i < content.size(); ++i) content[i] = 'Z';
  ASSERT_TRUE(write_file_atomically(path, content).has_value());

  Database database = opened(path);  // the schema is whole
  const auto checked = database.check();
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().kind, ErrorKind::unavailable);
  EXPECT_NE(base::to_string(checked.error()).find("state.db: the database is damaged"), std::string::npos);
  const auto read = database.run("DELETE FROM zone");
  ASSERT_FALSE(read.has_value());
  EXPECT_NE(base::to_string(read.error()).find("put back a copy of the file"), std::string::npos);
}

TEST(Database, a_folder_that_is_not_there_or_a_folder_in_its_place_is_an_error_with_its_path) {
  TemporaryFolder folder;
  const auto missing = Database::open(folder.path() / "none" / "state.db", kSchema);
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(
      base::to_string(missing.error()).find("none/state.db: cannot be written: its folder does not exist"),
      std::string::npos);
  const auto in_place = Database::open(folder.path(), kSchema);
  ASSERT_FALSE(in_place.has_value());
  EXPECT_NE(base::to_string(in_place.error()).find("it is a folder"), std::string::npos);
}

TEST(Database, a_full_disk_undoes_the_transaction_and_is_an_error_that_says_so) {
  const bool ran = with_small_disk(1024, [](const fs::path& disk) {
    Database database = opened(disk / "state.db");
    database.run("INSERT INTO zone (name) VALUES ('before')").value();
    base::Result<std::int64_t> filled = 0;
    {
      Transaction change = database.begin().value();
      for (int i = 0; filled && i < 4000; ++i) {
        filled =
            database.run("INSERT INTO zone (name) VALUES (?)", {std::to_string(i) + std::string(2000, 'x')});
      }
      // 4000 rows of 2 KB are 8 MB: too much for 1 MiB, at the latest when they are committed.
      const base::Result<void> committed = change.commit();
      ASSERT_FALSE(committed.has_value());
      if (filled) filled = committed.error();
    }
    ASSERT_FALSE(filled.has_value());
    EXPECT_EQ(filled.error().kind, ErrorKind::unavailable);
    EXPECT_NE(base::to_string(filled.error()).find("no space is left"), std::string::npos)
        << base::to_string(filled.error());
    EXPECT_EQ(count(database, "zone"), 1);
    // Once there is room again, it goes on.
    Transaction change = database.begin().value();
    EXPECT_TRUE(database.run("INSERT INTO zone (name) VALUES ('after')").has_value());
    EXPECT_TRUE(change.commit().has_value());
  });
  if (!ran) GTEST_SKIP() << "needs root";
}

TEST(Transaction, one_that_a_full_disk_undid_takes_no_more_commands) {
  const bool ran = with_small_disk(1024, [](const fs::path& disk) {
    Database database = opened(disk / "state.db");
    Transaction change = database.begin().value();
    base::Result<std::int64_t> filled = 0;
    for (int i = 0; filled && i < 4000; ++i) {
      filled =
          database.run("INSERT INTO zone (name) VALUES (?)", {std::to_string(i) + std::string(2000, 'x')});
    }
    if (filled) return;  // everything fitted the memory; then only the commit fails
    EXPECT_FALSE(database.run("INSERT INTO zone (name) VALUES ('outside')").has_value());
    EXPECT_FALSE(change.commit().has_value());
    EXPECT_EQ(count(database, "zone"), 0);
  });
  if (!ran) GTEST_SKIP() << "needs root";
}

TEST(Database, broken_promises_stop_the_program) {
  TemporaryFolder folder;
  Database database = opened(folder.path() / "state.db");
  database.run("INSERT INTO zone (name) VALUES ('a')").value();
  EXPECT_DEATH((void)database.run("INSERT INTO zone (name) VALUES (?)"), "as many values as there are");
  EXPECT_DEATH((void)database.run("DELETE FROM zone; DELETE FROM zone"), "one command in a text");
  EXPECT_DEATH((void)database.run("DELETE FROM zone WHERE id = ?", {UINT64_MAX}), "numbers below 2");
  EXPECT_DEATH((void)database.each("SELECT name FROM zone", {}, [](const Row& row) { (void)row.integer(0); }),
               "read as what it holds");
  EXPECT_DEATH((void)database.each("SELECT name FROM zone", {}, [](const Row& row) { (void)row.text(1); }),
               "columns that the query has");
  const Transaction open = database.begin().value();
  EXPECT_DEATH((void)database.begin(), "one transaction at a time");
}

}  // namespace
}  // namespace headroom::store
