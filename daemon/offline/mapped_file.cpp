#include "daemon/offline/mapped_file.h"

#include <array>
#include <csignal>
#include <mutex>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ftpsensor {

namespace {

// What the handler looks at: only lock-free atomics, and no memory of ours.
struct Slot {
    std::atomic<std::uintptr_t> begin{0}; // 0: free; 1: being set up
    std::atomic<std::uintptr_t> end{0};
    std::atomic<bool> truncated{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
std::array<Slot, MappedFile::kFilesMax> g_slots;
std::uintptr_t g_page_size = 0;
struct sigaction g_before;

// The page that is gone becomes one of zeros. mmap(2) is safe in a handler: it is one system call.
void on_bus_error(int signal, siginfo_t* info, void* context) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    for (Slot& slot : g_slots) {
        const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
        if (begin <= 1 || address < begin || address >= slot.end.load(std::memory_order_acquire)) continue;
        slot.truncated.store(true, std::memory_order_release);
        void* const page = reinterpret_cast<void*>(address & ~(g_page_size - 1));
        if (::mmap(page, g_page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page) return;
    }
    if ((g_before.sa_flags & SA_SIGINFO) != 0) {
        g_before.sa_sigaction(signal, info, context);
        return;
    }
    ::sigaction(signal, &g_before, nullptr); // the same instruction raises it again
}

void install_handler() {
    g_page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &g_before);
}

std::size_t take_slot() { // kFilesMax: none is free
    for (std::size_t i = 0; i < g_slots.size(); ++i) {
        std::uintptr_t free = 0;
        if (g_slots[i].begin.compare_exchange_strong(free, 1)) return i;
    }
    return g_slots.size();
}

} // namespace

std::shared_ptr<const MappedFile> MappedFile::of(int fd) {
    static std::once_flag once;
    std::call_once(once, install_handler);
    struct stat status {};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) return nullptr;
    const auto size = static_cast<std::size_t>(status.st_size);
    const std::size_t at = take_slot();
    if (at == g_slots.size()) return nullptr;
    void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        g_slots[at].begin.store(0);
        return nullptr;
    }
    ::madvise(data, size, MADV_SEQUENTIAL); // advice: without it, it is slower
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    g_slots[at].truncated.store(false);
    g_slots[at].end.store(begin + size, std::memory_order_release);
    g_slots[at].begin.store(begin, std::memory_order_release);
    return std::shared_ptr<const MappedFile>(
        new MappedFile(static_cast<std::uint8_t*>(data), size, at, ::fcntl(fd, F_DUPFD_CLOEXEC, 0)));
}

MappedFile::~MappedFile() {
    ::munmap(data_, size_);
    if (fd_ >= 0) ::close(fd_);
    g_slots[slot_].begin.store(0, std::memory_order_release);
}

bool MappedFile::has_shrunk() const {
    struct stat status {};
    if (fd_ >= 0 && ::fstat(fd_, &status) == 0 && static_cast<std::uint64_t>(status.st_size) < size_)
        g_slots[slot_].truncated.store(true, std::memory_order_release);
    return truncated();
}

bool MappedFile::truncated() const { return g_slots[slot_].truncated.load(std::memory_order_acquire); }

} // namespace ftpsensor
