// What the service's own user may do, as far as a configuration asks for it: the group of the logs, a card's node.
//
// `check` is run as root, who may do anything: what would fail only for the user of the unit is told by these. Main
// thread.
#pragma once

#include "daemon/live/note.h"

#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace ftpsensor {

inline constexpr const char* kServiceUser = "ftpsensor";

struct User {
    std::string name;
    uid_t uid = 0;
    std::vector<gid_t> groups; // its own first
};

std::optional<User> find_user(const char* name); // nothing: there is none of that name
User this_user();                                // as whom this process runs

// Whether the user may read and write what has this owner, group and mode. Nobody's capabilities are counted.
bool may_use(const User& user, const struct stat& file);

// log.group: whether it is there, and whether the user is of it, without which files cannot be given to it.
void check_log_group(const std::string& group, const User& user, Notes& notes);

// log.group: whether its members may enter the folder of the logs, which keeps its owner and group where it is there
// already, as the package's is.
void check_log_folder(const std::string& group, const std::string& directory, Notes& notes);

// A port at vfio-pci is the node of its IOMMU group, which the kernel makes for root alone. No note where there is no
// such node.
void check_vfio_node(const std::string& address, const std::string& iommu_group, const User& user, Notes& notes,
                     const std::string& nodes = "/dev/vfio");

} // namespace ftpsensor
