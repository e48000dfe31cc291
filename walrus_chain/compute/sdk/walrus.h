/* What a program may call: host ABI version 1, and the few helpers of runtime.c.
 *
 * A program defines `void program(void)`. It sees its inputs and its argument, and what it writes is its result. It has no
 * clock, no randomness and no network; the same inputs give the same result everywhere, or a program that is wrong.
 * Reference: docs/spec/17-programs.md
 */
#ifndef WALRUS_H
#define WALRUS_H

#include <stddef.h>
#include <stdint.h>

#define WALRUS_HOST(name) __attribute__((import_module("walrus"), import_name(name)))

/* -- the host ------------------------------------------------------------------------------------------------------ */

/* How many inputs there are, numbered from 0. */
WALRUS_HOST("input_count") uint32_t walrus_input_count(void);
/* Bytes of an input. */
WALRUS_HOST("input_size") uint64_t walrus_input_size(uint32_t index);
/* Copies bytes of an input from `offset` on; how many. Fewer than `length` only at the input's end, 0 behind it. */
WALRUS_HOST("read") uint32_t walrus_read(uint32_t index, uint64_t offset, void *to, uint32_t length);
/* Bytes of the argument. */
WALRUS_HOST("argument_size") uint32_t walrus_argument_size(void);
/* Copies bytes of the argument; how many. */
WALRUS_HOST("read_argument") uint32_t walrus_read_argument(uint32_t offset, void *to, uint32_t length);
/* Appends to the output. Each call costs; `walrus_print` gathers. */
WALRUS_HOST("write") void walrus_write(const void *from, uint32_t length);
/* Says something to whoever tests the program; no part of the result. */
WALRUS_HOST("log") void walrus_log(const void *text, uint32_t length);
/* Ends the program; its output is lost. At most 1,024 bytes of the message are kept. */
WALRUS_HOST("abort") _Noreturn void walrus_abort(const void *message, uint32_t length);

/* -- reading a stream ---------------------------------------------------------------------------------------------- */

#define WALRUS_WINDOW 65536u

/* An input from front to back, a window at a time. */
typedef struct {
    uint32_t index;
    uint64_t offset; /* of the byte behind the window */
    uint32_t at, length;
    uint8_t window[WALRUS_WINDOW];
} walrus_stream;

/* Begins at the front of an input. */
void walrus_open(walrus_stream *stream, uint32_t index);
/* Fetches the next window into `window`; its bytes, 0 at the end. */
uint32_t walrus_fill(walrus_stream *stream);

/* The next byte, or -1 at the end. */
static inline int walrus_next(walrus_stream *stream) {
    if (stream->at == stream->length && walrus_fill(stream) == 0) return -1;
    return stream->window[stream->at++];
}

/* -- writing text -------------------------------------------------------------------------------------------------- */

/* Appends to the output by way of a buffer, which is written out at last. Not to be mixed with `walrus_write`. */
void walrus_put(const void *from, uint32_t length);
void walrus_print(const char *text);
void walrus_print_number(uint64_t number);
/* Ends the program with a message. */
_Noreturn void walrus_fail(const char *message);
/* The argument as a decimal number; `missing` when there is no argument, the end of the program when it is no number. */
uint64_t walrus_argument_number(uint64_t missing);

/* -- what C expects ------------------------------------------------------------------------------------------------ */

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);

/* The program. */
void program(void);

#endif
