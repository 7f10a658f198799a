/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The boot disc: GRUB, the hypervisor and the modules, for BIOS and UEFI, as CD and as disk.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "options.h"

/*
 * GRUB prints this line on the firmware's console before it boots. UEFI copies its console to the
 * serial ports, so what comes from there before this line is the firmware's talk.
 */
#define IMAGE_MARK "torc-run: GRUB takes over"

/**
 * image_make() - make the disc that --firmware bios and uefi boot from
 * Return: path of the image, in the work directory.
 */
char *image_make(const struct options *options);

#endif
