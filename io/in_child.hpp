#pragma once

// What runs between clone and execve does so on a stack that the sanitizers do not know, in a
// thread of which they believe that it is its parent.
#define PENNING_IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread"), noinline))
