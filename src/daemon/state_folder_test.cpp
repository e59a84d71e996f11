#include "daemon/state_folder.hpp"

#include <gtest/gtest.h>

#include <map>

namespace headroom::daemon {
namespace {

Variable variables(std::map<std::string, std::string> set) {
  return [set = std::move(set)](const std::string& name) -> std::optional<std::string> {
    const auto found = set.find(name);
    if (found == set.end()) return std::nullopt;
    return found->second;
  };
}

TEST(StateFolder, is_the_systems_for_root_and_a_users_own_otherwise) {
  const auto root = locate(variables({{"HOME", "/root"}}), true);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->root, "/var/lib/headroom");
  EXPECT_EQ(root->api_socket(), "/run/headroom/api.sock");
  const auto user = locate(variables({{"HOME", "/srv/kim"}, {"XDG_RUNTIME_DIR", "/run/user/1000"}}), false);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->root, "/srv/kim/.local/state/headroom");
  EXPECT_EQ(user->sockets, "/run/user/1000/headroom");
}

TEST(StateFolder, is_where_the_variable_says) {
  const auto folder = locate(variables({{"HEADROOM_STATE", "/srv/x/"}}), true);
  ASSERT_TRUE(folder);
  EXPECT_EQ(folder->root, "/srv/x");
  EXPECT_EQ(folder->sockets, "/srv/x/run");
}

TEST(StateFolder, has_the_same_realm_each_time_and_another_one_than_its_neighbour) {
  const auto a = locate(variables({{"HEADROOM_STATE", "/srv/x"}}), true);
  const auto again = locate(variables({{"HEADROOM_STATE", "/srv/x/"}}), true);
  const auto b = locate(variables({{"HEADROOM_STATE", "/srv/y"}}), true);
  ASSERT_TRUE(a && again && b);
  EXPECT_EQ(a->realm, again->realm);
  EXPECT_NE(a->realm, b->realm);
  EXPECT_EQ(a->realm.size(), 4U);
}

TEST(StateFolder, is_refused_where_sockets_would_have_too_long_a_path) {
  EXPECT_FALSE(locate(variables({{"HEADROOM_STATE", "/" + std::string(70, 'x')}}), true));
  EXPECT_FALSE(locate(variables({}), false)) << "no home folder";
}

}  // namespace
}  // namespace headroom::daemon
