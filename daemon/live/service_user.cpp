#include "daemon/live/service_user.h"

#include "core/log/file_system.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr const char* kAccessList = "system.posix_acl_access"; // acl(5); whom it names is its maker's business

bool is_of(const User& user, gid_t group) {
    return std::find(user.groups.begin(), user.groups.end(), group) != user.groups.end();
}

} // namespace

std::optional<User> find_user(const char* name) {
    const passwd* entry = ::getpwnam(name);
    if (entry == nullptr) return std::nullopt;
    User user{name, entry->pw_uid, {}};
    int count = 64;
    const gid_t own = entry->pw_gid;
    user.groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(name, own, user.groups.data(), &count) < 0) { // says how many there are
        user.groups.resize(static_cast<std::size_t>(count));
        if (::getgrouplist(name, own, user.groups.data(), &count) < 0) return User{name, entry->pw_uid, {own}};
    }
    user.groups.resize(static_cast<std::size_t>(count));
    return user;
}

User this_user() {
    User user{"this user", ::geteuid(), {::getegid()}};
    std::vector<gid_t> others(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    const int count = ::getgroups(static_cast<int>(others.size()), others.data());
    others.resize(static_cast<std::size_t>(std::max(count, 0)));
    user.groups.insert(user.groups.end(), others.begin(), others.end());
    if (const passwd* entry = ::getpwuid(user.uid); entry != nullptr) user.name = entry->pw_name;
    return user;
}

// The first that fits decides, as with the kernel.
bool may_use(const User& user, const struct stat& file) {
    const mode_t both = user.uid == file.st_uid ? 0600 : is_of(user, file.st_gid) ? 0060 : 0006;
    return (file.st_mode & both) == both;
}

void check_log_group(const std::string& group, const User& user, Notes& notes) {
    if (group.empty()) return;
    try {
        const gid_t id = group_id(group);
        if (user.uid == 0 || is_of(user, id)) return;
        add_note(notes, NoteLevel::warning,
                 fmt::format("log.group: {} is not in the group {}: log files stay with its own", user.name, group),
                 fmt::format("adduser {} {}, then a restart", user.name, group));
    } catch (const std::runtime_error& error) {
        add_note(notes, NoteLevel::problem, fmt::format("log.group: {}", error.what()),
                 fmt::format("groupadd {}", group));
    }
}

void check_log_folder(const std::string& group, const std::string& directory, Notes& notes) {
    struct stat folder {};
    if (group.empty() || ::stat(directory.c_str(), &folder) != 0) return;
    if ((folder.st_mode & S_IXOTH) != 0 || ::getxattr(directory.c_str(), kAccessList, nullptr, 0) > 0) return;
    try {
        if (folder.st_gid == group_id(group) && (folder.st_mode & S_IXGRP) != 0) return;
    } catch (const std::runtime_error&) {
        return; // check_log_group() has told it
    }
    add_note(notes, NoteLevel::warning,
             fmt::format("log.group: members of {} may not enter {}, whose owner, group and mode stay as they are",
                         group, directory),
             fmt::format("setfacl -m g:{}:rx {}", group, shell_words({directory})));
}

void check_vfio_node(const std::string& address, const std::string& iommu_group, const User& user, Notes& notes,
                     const std::string& nodes) {
    if (iommu_group.empty()) return;
    const std::string node = nodes + '/' + iommu_group;
    struct stat there {};
    if (::stat(node.c_str(), &there) != 0 || may_use(user, there)) return;
    add_note(notes, NoteLevel::problem, fmt::format("{}: the user {} may not open {}", address, user.name, node),
             fmt::format("chgrp {0} {1} && chmod 660 {1}", user.name, node));
}

} // namespace ftpsensor
