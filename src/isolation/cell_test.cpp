#include "isolation/cell.hpp"

#include <gtest/gtest.h>

namespace headroom::isolation {
namespace {

Cell good() {
  Cell cell;
  cell.name = "web-1";
  cell.run = "true";
  cell.image = "/usr";
  cell.private_folder = "/var";
  cell.log = "/var/log-of-web-1";
  return cell;
}

TEST(Cell, thatIsCompleteHasNoFault) { EXPECT_TRUE(check(good())); }

TEST(Cell, tellsOfAllFaultsAtOnce) {
  Cell cell = good();
  cell.name = "Web 1";
  cell.position = {100, 200};
  cell.cores = base::Cores(0);
  cell.memory_bytes = 1;
  cell.processes_max = 0;
  cell.run = "";
  cell.environment = {{"A=B", "x"}};
  cell.image = "relative";
  cell.private_folder = "/no/such/folder";
  cell.volume = "/etc/passwd";
  cell.log = "/no/such/folder/log";
  cell.log_bytes_max = 1;
  cell.hosts = {{"10.0.0.1", "two words"}};
  const auto checked = check(cell);
  ASSERT_FALSE(checked);
  // Name, zone, slot, cores, memory, processes, command line, variable, image, private folder, volume, the
  // log's folder, the log's size, the line of hosts.
  EXPECT_EQ(checked.error().faults.size(), 14U) << to_string(checked.error());
}

TEST(Cell, takesNoNameThatLeavesItsFolder) {
  for (const char* name :
       {"", "..", "a/b", "-a", "a.b", "A", "a_b", "12345678901234567890123456789012345678901"}) {
    Cell cell = good();
    cell.name = name;
    EXPECT_FALSE(check(cell)) << name;
  }
}

TEST(Cell, hostsCannotBringLinesOfTheirOwn) {
  Cell cell = good();
  cell.hosts = {{"10.0.0.1", "a\n127.0.0.1"}};
  EXPECT_FALSE(check(cell));
}

}  // namespace
}  // namespace headroom::isolation
