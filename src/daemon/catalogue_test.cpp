#include "daemon/catalogue.hpp"

#include <gtest/gtest.h>

#include "store/temporary_folder.hpp"

namespace headroom::daemon {
namespace {

EnvironmentRecord record(const std::string& name) {
  EnvironmentRecord record;
  record.name = name;
  record.file = "/srv/" + name + "/headroom.yaml";
  record.variant = "prod";
  record.files = std::make_shared<const Files>(Files{{record.file, "name: " + name}, {"demand.csv", "a\0b"}});
  return record;
}

TEST(Catalogue, gives_back_what_was_saved_also_after_it_was_opened_again) {
  const store::TemporaryFolder folder;
  EnvironmentRecord shop = record("shop");
  {
    auto catalogue = Catalogue::open(folder.path() / "state.db");
    ASSERT_TRUE(catalogue) << base::to_string(catalogue.error());
    ASSERT_TRUE(catalogue->complete(shop, {"a", "b"}, {"web", "db"}));
    ServiceRecord& web = shop.services.at("web");
    web.desired = 3;
    web.override = Override{5, base::Milliseconds(10), base::Milliseconds(20), true};
    web.version = "v2";
    web.previous = "v1";
    web.versions = 2;
    web.rolling = true;
    const auto saved = catalogue->save(shop);
    ASSERT_TRUE(saved) << base::to_string(saved.error());
  }
  auto catalogue = Catalogue::open(folder.path() / "state.db");
  ASSERT_TRUE(catalogue);
  const auto all = catalogue->all();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().file, shop.file);
  EXPECT_EQ(all->front().variant, "prod");
  EXPECT_EQ(*all->front().files, *shop.files);
  EXPECT_EQ(all->front().zones, shop.zones);
  EXPECT_EQ(all->front().services, shop.services);
}

TEST(Catalogue, gives_back_a_pause_without_an_end_and_the_files_as_they_are_now) {
  const store::TemporaryFolder folder;
  auto catalogue = Catalogue::open(folder.path() / "state.db");
  ASSERT_TRUE(catalogue);
  EnvironmentRecord shop = record("shop");
  ASSERT_TRUE(catalogue->complete(shop, {"a"}, {"web"}));
  ASSERT_TRUE(catalogue->save(shop));
  shop.services.at("web").override = Override{std::nullopt, base::Milliseconds(10), std::nullopt};
  shop.files = std::make_shared<const Files>(Files{{shop.file, "another"}});
  ASSERT_TRUE(catalogue->save(shop));
  const auto all = catalogue->all();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->front().services, shop.services);
  EXPECT_EQ(*all->front().files, *shop.files);
}

// Zones are networks and services have ports, of one machine.
TEST(Catalogue, gives_no_index_and_no_port_twice) {
  const store::TemporaryFolder folder;
  auto catalogue = Catalogue::open(folder.path() / "state.db");
  ASSERT_TRUE(catalogue);
  EnvironmentRecord shop = record("shop");
  ASSERT_TRUE(catalogue->complete(shop, {"a", "b"}, {"web"}));
  ASSERT_TRUE(catalogue->save(shop));
  EnvironmentRecord blog = record("blog");
  ASSERT_TRUE(catalogue->complete(blog, {"a"}, {"web", "db"}));
  EXPECT_EQ(blog.zones.at("a"), 2);
  EXPECT_EQ(blog.services.at("web").internal_port, shop.services.at("web").internal_port + 1);
  EXPECT_NE(blog.services.at("db").internal_port, blog.services.at("web").internal_port);
  // What it has it keeps.
  const int port = shop.services.at("web").internal_port;
  ASSERT_TRUE(catalogue->complete(shop, {"a", "b", "c"}, {"web", "jobs"}));
  EXPECT_EQ(shop.services.at("web").internal_port, port);
  EXPECT_EQ(shop.zones.size(), 3U);
}

TEST(Catalogue, forgets_an_environment_with_all_that_is_its) {
  const store::TemporaryFolder folder;
  auto catalogue = Catalogue::open(folder.path() / "state.db");
  ASSERT_TRUE(catalogue);
  EnvironmentRecord shop = record("shop");
  ASSERT_TRUE(catalogue->complete(shop, {"a"}, {"web"}));
  ASSERT_TRUE(catalogue->save(shop));
  ASSERT_TRUE(catalogue->remove("shop"));
  EXPECT_TRUE(catalogue->all()->empty());
  EnvironmentRecord blog = record("blog");
  ASSERT_TRUE(catalogue->complete(blog, {"x"}, {"y"}));
  EXPECT_EQ(blog.zones.at("x"), 0) << "its index is free again";
}

}  // namespace
}  // namespace headroom::daemon
