/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel wants powers of two as shifts and lengths as 512-byte sectors, and wipes all parameters when it
 * refuses one, so nothing goes there that it would refuse.
 */

#include "ublkmgr/params.h"

#include <errno.h>

enum {
        SECTOR_SHIFT = 9,
        BLOCK_SHIFT_MAX = 28,
};

static bool fits_backing(const struct wire_geometry *g, const struct spec *spec,
                         uint64_t backing_bytes) {
        uint64_t offset = spec_number(spec, SPEC_OFFSET_BYTES);

        return spec_number(spec, SPEC_TYPE) != SPEC_TYPE_LOOP ||
               (offset <= backing_bytes && g->size_bytes <= backing_bytes - offset);
}

int geometry_check(const struct wire_geometry *g, const struct spec *spec, uint64_t backing_bytes,
                   const char **what) {
        if (spec_is_set(spec, SPEC_SIZE_BYTES) &&
            g->size_bytes != spec_number(spec, SPEC_SIZE_BYTES))
                *what = "its size is not the one of the spec";
        else if (!fits_backing(g, spec, backing_bytes))
                *what = "it is larger than its backing";
        else if (g->logical_block_size != spec_number(spec, SPEC_LOGICAL_BLOCK_SIZE))
                *what = "its logical block size is not the one of the spec";
        else if (g->physical_block_size != spec_number(spec, SPEC_PHYSICAL_BLOCK_SIZE))
                *what = "its physical block size is not the one of the spec";
        else
                return 0;
        return -EBADMSG;
}

static uint8_t shift_of(uint32_t power_of_two) {
        int shift = __builtin_ctz(power_of_two);

        return (uint8_t)MIN(shift, (int)BLOCK_SHIFT_MAX);
}

/* The largest multiple of the logical block size that fits, in sectors. */
static uint32_t sectors_of(uint32_t bytes, uint32_t block_size) {
        return (bytes / block_size * block_size) >> SECTOR_SHIFT;
}

void geometry_to_params(const struct wire_geometry *g, const struct ublk_dev_info *info,
                        bool read_only, struct ublk_params *ret) {
        *ret = (struct ublk_params){
                .len = sizeof(*ret),
                .types = UBLK_PARAM_TYPE_BASIC,
                .basic = {
                        .attrs = (read_only ? UBLK_ATTR_READ_ONLY : 0) |
                                 (g->rotational ? UBLK_ATTR_ROTATIONAL : 0) |
                                 (g->volatile_cache ? UBLK_ATTR_VOLATILE_CACHE : 0) |
                                 (g->fua ? UBLK_ATTR_FUA : 0),
                        .logical_bs_shift = shift_of(g->logical_block_size),
                        .physical_bs_shift = shift_of(g->physical_block_size),
                        .io_min_shift = shift_of(g->io_min_bytes ? g->io_min_bytes
                                                                 : g->physical_block_size),
                        /* A shift can't say "none", and 0 would be one byte. */
                        .io_opt_shift = shift_of(g->io_opt_bytes   ? g->io_opt_bytes
                                                 : g->io_min_bytes ? g->io_min_bytes
                                                                   : g->physical_block_size),
                        .max_sectors = info->max_io_buf_bytes >> SECTOR_SHIFT,
                        .dev_sectors = g->size_bytes >> SECTOR_SHIFT,
                },
        };

        if (read_only || (g->max_discard_bytes == 0 && g->max_write_zeroes_bytes == 0))
                return;

        /* The same block carries the limit for write zeroes; granularity must be given in either case. */
        ret->types |= UBLK_PARAM_TYPE_DISCARD;
        ret->discard = (struct ublk_param_discard){
                .discard_granularity =
                        g->discard_granularity ? g->discard_granularity : g->logical_block_size,
                .max_discard_sectors = sectors_of(g->max_discard_bytes, g->logical_block_size),
                .max_write_zeroes_sectors =
                        sectors_of(g->max_write_zeroes_bytes, g->logical_block_size),
                .max_discard_segments = 1,
        };
}
