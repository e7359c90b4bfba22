#include "core/base/memory_node.h"

#include <bit>

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ftpsensor {

namespace {

// Of this thread, or of the page at `address`.
bool get_policy(MemoryPolicy& policy, const void* address = nullptr) {
    return ::syscall(SYS_get_mempolicy, &policy.mode, policy.nodes.data(), MemoryPolicy::kNodesMax, address,
                     address != nullptr ? MPOL_F_ADDR : 0) == 0;
}

bool set_policy(const MemoryPolicy& policy) {
    if (policy.mode == MPOL_DEFAULT) return ::syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0) == 0;
    return ::syscall(SYS_set_mempolicy, policy.mode, policy.nodes.data(), MemoryPolicy::kNodesMax) == 0;
}

} // namespace

OnNode::OnNode(int node) : node_(node) {
    if (node < 0 || node >= MemoryPolicy::kNodesMax || !get_policy(before_)) return;
    MemoryPolicy wanted{MPOL_PREFERRED, {}};
    wanted.nodes[static_cast<unsigned>(node / MemoryPolicy::kWordBits)] = 1ul << node % MemoryPolicy::kWordBits;
    set_ = set_policy(wanted);
}

OnNode::~OnNode() {
    if (set_) set_policy(before_);
}

void keep_on_this_threads_node(void* pages, std::size_t bytes) {
    MemoryPolicy policy;
    if (!get_policy(policy) || policy.mode == MPOL_DEFAULT) return;
    ::syscall(SYS_mbind, pages, bytes, policy.mode, policy.nodes.data(), MemoryPolicy::kNodesMax, 0);
}

std::optional<int> preferred_node(const void* address) {
    MemoryPolicy policy;
    if (!get_policy(policy, address) || policy.mode != MPOL_PREFERRED) return std::nullopt;
    for (unsigned word = 0; word < policy.nodes.size(); ++word)
        if (policy.nodes[word] != 0)
            return static_cast<int>(word) * MemoryPolicy::kWordBits + std::countr_zero(policy.nodes[word]);
    return std::nullopt;
}

bool node_gives_memory(int node) {
    if (node < 0) return true;
    const OnNode here(node);
    if (!here.works()) return false;
    const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* const page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    *static_cast<volatile char*>(page) = 1;
    int from = -1;
    const bool known = ::syscall(SYS_get_mempolicy, &from, nullptr, 0, page, MPOL_F_NODE | MPOL_F_ADDR) == 0;
    ::munmap(page, bytes);
    return known && from == node;
}

} // namespace ftpsensor
