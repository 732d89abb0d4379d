/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads the partition table of the disk `fd` and writes it to `pipe` as records (table.h). Meant for a process that can
 * do nothing else any more: what is on the disk may be made to take this over. block_sectors: the logical block in
 * sectors. Returns 0, also for a disk without a table, or a negative errno, which is written to the pipe as well. */
int probe_table(int fd, unsigned block_sectors, int pipe);
