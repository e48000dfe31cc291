/* The few functions between a program and the host; linked to every program by `walrus compute build`. */

#include "walrus.h"

static uint8_t gathered[WALRUS_WINDOW];
static uint32_t gathered_length;

/* Says for which version of the ABI this is; never called. */
__attribute__((export_name("walrus_abi_1"))) void walrus_abi_1(void) {}

static void flush(void) {
    if (gathered_length) walrus_write(gathered, gathered_length);
    gathered_length = 0;
}

__attribute__((export_name("run"))) void walrus_run(void) {
    program();
    flush();
}

void walrus_open(walrus_stream *stream, uint32_t index) {
    stream->index = index;
    stream->offset = 0;
    stream->at = stream->length = 0;
}

uint32_t walrus_fill(walrus_stream *stream) {
    stream->at = 0;
    stream->length = walrus_read(stream->index, stream->offset, stream->window, WALRUS_WINDOW);
    stream->offset += stream->length;
    return stream->length;
}

void walrus_put(const void *from, uint32_t length) {
    const uint8_t *bytes = from;
    while (length) {
        if (gathered_length == sizeof gathered) flush();
        uint32_t room = sizeof gathered - gathered_length;
        uint32_t piece = length < room ? length : room;
        memcpy(gathered + gathered_length, bytes, piece);
        gathered_length += piece;
        bytes += piece;
        length -= piece;
    }
}

void walrus_print(const char *text) { walrus_put(text, strlen(text)); }

void walrus_print_number(uint64_t number) {
    char digits[20];
    uint32_t at = sizeof digits;
    do {
        digits[--at] = '0' + number % 10;
        number /= 10;
    } while (number);
    walrus_put(digits + at, sizeof digits - at);
}

void walrus_fail(const char *message) { walrus_abort(message, strlen(message)); }

uint64_t walrus_argument_number(uint64_t missing) {
    char digits[20];
    uint32_t length = walrus_argument_size();
    uint64_t number = 0;
    if (length == 0) return missing;
    if (length > 19) walrus_fail("the argument is no number below 10^19");
    walrus_read_argument(0, digits, length);
    for (uint32_t at = 0; at < length; at++) {
        if (digits[at] < '0' || digits[at] > '9') walrus_fail("the argument is no number");
        number = number * 10 + (uint64_t)(digits[at] - '0');
    }
    return number;
}

/* With bulk memory these are single instructions, not calls of themselves. */
void *memcpy(void *to, const void *from, size_t length) { return __builtin_memcpy(to, from, length); }
void *memmove(void *to, const void *from, size_t length) { return __builtin_memmove(to, from, length); }
void *memset(void *to, int byte, size_t length) { return __builtin_memset(to, byte, length); }

int memcmp(const void *a, const void *b, size_t length) {
    const uint8_t *left = a, *right = b;
    for (size_t at = 0; at < length; at++)
        if (left[at] != right[at]) return left[at] - right[at];
    return 0;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}
