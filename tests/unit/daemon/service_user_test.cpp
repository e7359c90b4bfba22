// What `check` says of the service's user: the group of the logs, and the node of a port at vfio-pci.
#include "daemon/live/service_user.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <grp.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

constexpr uid_t kOwner = 901;
constexpr gid_t kGroup = 902;

struct stat file(mode_t mode) {
    struct stat status {};
    status.st_uid = kOwner;
    status.st_gid = kGroup;
    status.st_mode = S_IFCHR | mode;
    return status;
}

// A folder with the node of IOMMU group 12.
struct Nodes {
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("service_user_test." + std::to_string(getpid()));
    Nodes() {
        std::filesystem::create_directories(folder);
        std::ofstream(folder / "12") << "";
    }
    ~Nodes() { std::filesystem::remove_all(folder); }

    Notes checked(const User& user, std::filesystem::perms mode, const std::string& iommu_group = "12") const {
        std::filesystem::permissions(folder / "12", mode);
        Notes notes;
        check_vfio_node("0000:3b:00.0", iommu_group, user, notes, folder.string());
        return notes;
    }
};

Notes of_group(const std::string& group, const User& user) {
    Notes notes;
    check_log_group(group, user, notes);
    return notes;
}

} // namespace

TEST_CASE("owner, then group, then the others: the first that fits decides, and both bits are needed") {
    const User owner{"owner", kOwner, {1}};
    const User member{"member", 1, {2, kGroup}};
    const User other{"other", 1, {2}};
    CHECK(may_use(owner, file(0600)));
    CHECK_FALSE(may_use(owner, file(0066)));
    CHECK(may_use(member, file(0660)));
    CHECK_FALSE(may_use(member, file(0606)));
    CHECK_FALSE(may_use(member, file(0640)));
    CHECK_FALSE(may_use(other, file(0660)));
    CHECK(may_use(other, file(0666)));
}

TEST_CASE("members of log.group who may not enter the folder of the logs are told of") {
    const Nodes nodes;
    const auto of = [&](const std::string& group, std::filesystem::perms mode) {
        std::filesystem::permissions(nodes.folder, mode);
        Notes notes;
        check_log_folder(group, nodes.folder.string(), notes);
        return notes;
    };
    using std::filesystem::perms;
    const group* const own = getgrgid(getegid());
    REQUIRE(own != nullptr);
    const std::string mine = own->gr_name; // the folder's
    const std::string another = mine == "daemon" ? "sys" : "daemon";
    const Notes notes = of(another, perms(0750));
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::warning);
    CHECK(notes[0].text.starts_with("log.group: members of " + another + " may not enter "));
    CHECK(notes[0].remedy == "setfacl -m g:" + another + ":rx " + nodes.folder.string());
    CHECK(of(another, perms(0751)).empty());
    CHECK(of(mine, perms(0750)).empty());
    CHECK(of(mine, perms(0700)).size() == 1);
    CHECK(of("", perms(0700)).empty());
    CHECK(of("no-such-group-here", perms(0700)).empty());
    Notes none;
    check_log_folder(another, (nodes.folder / "not-there").string(), none);
    CHECK(none.empty());
    std::filesystem::permissions(nodes.folder, perms(0700));
}

TEST_CASE("the node of a port's IOMMU group that the user may not open is a problem, with what gives it") {
    const Nodes nodes;
    const User service{"ftpsensor", 64901, {getegid()}};
    const auto root_alone = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
    const auto by_the_rule = root_alone | std::filesystem::perms::group_read | std::filesystem::perms::group_write;
    const Notes notes = nodes.checked(service, root_alone); // as the kernel makes it
    REQUIRE(notes.size() == 1);
    const std::string node = (nodes.folder / "12").string();
    CHECK(notes[0].level == NoteLevel::problem);
    CHECK(notes[0].text == "0000:3b:00.0: the user ftpsensor may not open " + node);
    CHECK(notes[0].remedy == "chgrp ftpsensor " + node + " && chmod 660 " + node);
    CHECK(nodes.checked(service, by_the_rule).empty());
    CHECK(nodes.checked(service, root_alone, "13").empty()); // no such node
    CHECK(nodes.checked(service, root_alone, "").empty());   // no IOMMU
}

TEST_CASE("a group of log files that is not there, and one that the user is not of") {
    const User service{"ftpsensor", 64901, {getegid()}};
    const Notes absent = of_group("no-such-group", service);
    REQUIRE(absent.size() == 1);
    CHECK(absent[0].level == NoteLevel::problem);
    CHECK(absent[0].text == "log.group: there is no group 'no-such-group' on this machine");
    CHECK(absent[0].remedy == "groupadd no-such-group");

    const group* own = getgrgid(getegid());
    REQUIRE(own != nullptr);
    const std::string name = own->gr_name;
    CHECK(of_group(name, service).empty());
    const Notes foreign = of_group(name, {"ftpsensor", 64901, {64901}});
    REQUIRE(foreign.size() == 1);
    CHECK(foreign[0].level == NoteLevel::warning);
    CHECK(foreign[0].remedy == "adduser ftpsensor " + name + ", then a restart");
    CHECK(of_group(name, {"root", 0, {64901}}).empty());
    CHECK(of_group("", service).empty());
}

TEST_CASE("users are found with their groups") {
    const auto root = find_user("root");
    REQUIRE(root);
    CHECK(root->uid == 0);
    CHECK(std::count(root->groups.begin(), root->groups.end(), gid_t{0}) == 1);
    CHECK_FALSE(find_user("no-such-user"));
    CHECK(this_user().uid == geteuid());
    CHECK(this_user().groups.front() == getegid());
}
