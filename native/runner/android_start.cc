// Where a program begins on Android, which the NDK's start files would hold: the kernel's stack goes to libc, libc calls
// main.
extern "C" {

int main(int count, char** arguments);

// Of Android's libc, since its first version.
[[noreturn]] void __libc_init(void* stack, void (*at_exit)(), int (*main)(int, char**), const void* structors);

__attribute__((used, visibility("hidden"))) [[noreturn]] void mbnn_start(void* stack) {
  // Functions to be called before and after main: the program has none.
  static const void* const kStructors[4] = {};
  __libc_init(stack, nullptr, main, kStructors);
}
}

#if defined(__aarch64__)
asm(".text\n.globl _start\n.type _start, %function\n_start:\n"
    "mov x29, #0\nmov x30, #0\nmov x0, sp\nb mbnn_start\n");
#elif defined(__x86_64__)
asm(".text\n.globl _start\n.type _start, @function\n_start:\n"
    "xorl %ebp, %ebp\nmovq %rsp, %rdi\nandq $-16, %rsp\ncallq mbnn_start\nhlt\n");
#endif
