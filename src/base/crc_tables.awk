# Turns the polynomials of CRC32C and CRC64NVME (bit-reversed) into the tables of crc_tables.h: what
# a byte does to the register when `slice` more bytes of zeros follow it. Used by the Makefile only.
# A number is two halves of 32 bits, because awk's doubles hold 53.

function xor32(a, b,    result, place) {
    result = 0
    for (place = 1; a > 0 || b > 0; place *= 16) {
        result += place * xor_digit[a % 16, b % 16]
        a = int(a / 16); b = int(b / 16)
    }
    return result
}
function number(high, low) {
    return sprintf("UINT64_C(0x%04x%04x%04x%04x)", int(high / 65536), high % 65536, int(low / 65536), low % 65536)
}
# The register `zeros` bits of zeros behind a single one, for all the bits of all the slices.
function fill_bits(poly_high, poly_low,    high, low, zeros, odd) {
    high = poly_high; low = poly_low
    for (zeros = 0; zeros < 64; zeros++) {
        bit_high[zeros] = high; bit_low[zeros] = low
        odd = low % 2
        low = int(low / 2) + (high % 2) * 2147483648
        high = int(high / 2)
        if (odd) { high = xor32(high, poly_high); low = xor32(low, poly_low) }
    }
}
function table(name, poly_high, poly_low,    slice, byte, bit, power, zeros) {
    fill_bits(poly_high, poly_low)
    printf "const uint64_t %s[8][256] = {\n", name
    for (slice = 0; slice < 8; slice++) {
        high_of[0] = 0; low_of[0] = 0
        for (bit = 0; bit < 8; bit++) {
            power = 2 ^ bit
            zeros = 8 * slice + 7 - bit
            for (byte = power; byte < 2 * power; byte++) {
                high_of[byte] = xor32(high_of[byte - power], bit_high[zeros])
                low_of[byte] = xor32(low_of[byte - power], bit_low[zeros])
            }
        }
        print "    {"
        for (byte = 0; byte < 256; byte++) printf "        %s,\n", number(high_of[byte], low_of[byte])
        print "    },"
    }
    print "};\n"
}
BEGIN {
    for (a = 0; a < 16; a++) for (b = 0; b < 16; b++) {
        xor_digit[a, b] = 0
        for (power = 1; power < 16; power *= 2)
            if (int(a / power) % 2 != int(b / power) % 2) xor_digit[a, b] += power
    }
    print "/* Made by src/base/crc_tables.awk. */\n#include \"crc_tables.h\"\n"
    table("crc_table_crc32c", 0, 2197175160)            # 82F63B78
    table("crc_table_crc64nvme", 2590806825, 2890647989) # 9A6C9329 AC4BC9B5
}
