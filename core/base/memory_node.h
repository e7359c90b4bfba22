// On which NUMA node memory lies: said, not left to whoever touches a page first.
//
// While an OnNode lives, what its thread touches for the first time lies on that node, and a table that the thread
// makes (TableMemory) does for good, whoever touches it. The kernel takes another node where that one has no room left:
// a sensor that is slower beats one that is not there. Linux's memory policies (set_mempolicy(2), mbind(2)) by their
// system calls; where a machine or its sandbox does not have them, all is as it was, and works() says so.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace ftpsensor {

struct MemoryPolicy {
    static constexpr int kNodesMax = 1024; // more than any kernel is built for
    static constexpr int kWordBits = 8 * sizeof(unsigned long);

    int mode = 0; // MPOL_DEFAULT
    std::array<unsigned long, kNodesMax / kWordBits> nodes{};
};

class OnNode {
public:
    explicit OnNode(int node); // below 0: nothing is said, and nothing changes
    ~OnNode();                 // the thread's memory goes where it went before
    OnNode(const OnNode&) = delete;
    OnNode& operator=(const OnNode&) = delete;

    bool works() const { return node_ < 0 || set_; }

private:
    int node_;
    bool set_ = false;
    MemoryPolicy before_;
};

// The mapping has the policy of this thread from now on; without one, it keeps going by first touch.
void keep_on_this_threads_node(void* pages, std::size_t bytes);

// What was said of the page at `address`: its preferred node. Empty: nothing, or nothing so simple.
std::optional<int> preferred_node(const void* address);

// False where new memory of a thread that prefers `node` does not come from there: there is no such node, it has no
// room, or preferences are not possible here. Below 0: true.
bool node_gives_memory(int node);

} // namespace ftpsensor
