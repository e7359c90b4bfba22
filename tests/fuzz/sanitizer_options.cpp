// How the address sanitizer runs in the fuzzers: what an execution frees stays out of use until the end of that
// execution and longer, but not for 256 MB, which cost a page fault for each page; and the stacks of allocations are
// short. To look into a finding: ASAN_OPTIONS=malloc_context_size=30.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "quarantine_size_mb=16:allocator_release_to_os_interval_ms=-1:malloc_context_size=2";
}
