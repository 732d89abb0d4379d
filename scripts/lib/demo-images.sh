# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The two images of the demonstration: an ext4 and an xfs file system, full of files that this machine has anyway. Their
# checksums are taken from the files themselves before the images are made, and neither image is made through a ublk device:
# what is read back through one must be right by comparison with something that ublkmgr never touched.
#
# shellcheck shell=bash

# So much is enough to be real, and little enough that an emulated processor has its checksums in seconds.
demo_image_mib=16
demo_image_files=600

# The smallest file system that mkfs.xfs makes is 300 MiB. The image is sparse.
demo_xfs_mib=320

# demo_list FOLDER: paths of plain files in it, relative, one a line, up to the size. The prototype that mkfs.xfs reads knows
# no quoting, hence plain names only.
demo_list() {
        find "$1" -type f -size -1024k -readable -regextype posix-extended -regex '[A-Za-z0-9/._+,@=-]+' -printf '%s %P\n' |
                LC_ALL=C sort -k 2 |
                awk -v size="$((demo_image_mib * 1024 * 1024))" -v files="$demo_image_files" \
                        '{ sum += $1 } sum <= size && NR <= files { print $2 }'
}

# demo_checksums FOLDER <LIST
demo_checksums() {
        (cd "$1" && tr '\n' '\0' | xargs -0 sha256sum --)
}

# demo_prototype FOLDER <LIST: the tree as mkfs.xfs -p wants it. The list is sorted, so that the files of a folder and of all
# folders below it stand together, and each folder is opened and closed once.
demo_prototype() {
        awk -v source="$1" -F / '
                BEGIN { print "/"; print "0 0"; print "d--755 0 0" }
                {
                        for (same = 0; same < depth && same < NF - 1 && open[same + 1] == $(same + 1); same++) ;
                        for (; depth > same; depth--) print "$"
                        while (depth < NF - 1) { open[++depth] = $depth; print $depth, "d--755 0 0" }
                        print $NF, "---644 0 0", source "/" $0
                }
                END { for (; depth > 0; depth--) print "$"; print "$" }'
}

# demo_images FOLDER: docs.img, docs.sha256, archive.img and archive.sha256 in it.
demo_images() {
        local folder=$1 tree source mib
        tree=$(mktemp -d)

        source=/usr/share/doc
        demo_list "$source" >"$folder/docs.list"
        [[ -s $folder/docs.list ]] || die "there are no files in $source to make an image of"
        demo_checksums "$source" <"$folder/docs.list" >"$folder/docs.sha256"
        tar -c -C "$source" -T "$folder/docs.list" | tar -x -C "$tree"
        chmod 755 "$tree"
        rm -f -- "$folder/docs.img.new"
        truncate -s "$((demo_image_mib * 2 + 32))M" "$folder/docs.img.new"
        mke2fs -q -t ext4 -L docs -E root_owner=0:0 -d "$tree" "$folder/docs.img.new"
        rm -rf -- "$tree"

        source=/usr/include
        demo_list "$source" >"$folder/archive.list"
        [[ -s $folder/archive.list ]] || die "there are no files in $source to make an image of"
        demo_checksums "$source" <"$folder/archive.list" >"$folder/archive.sha256"
        demo_prototype "$source" <"$folder/archive.list" >"$folder/archive.prototype"
        rm -f -- "$folder/archive.img.new"
        truncate -s "${demo_xfs_mib}M" "$folder/archive.img.new"
        mkfs.xfs -q -L archive -p "$folder/archive.prototype" "$folder/archive.img.new"
        rm -f -- "$folder"/*.list "$folder/archive.prototype"

        # Both programs allocate more than they write; a copy does not.
        for source in docs archive; do
                cp --sparse=always -- "$folder/$source.img.new" "$folder/$source.img"
                rm -f -- "$folder/$source.img.new"
                mib=$(du -m "$folder/$source.img" | cut -f 1)
                say "$source.img: $(wc -l <"$folder/$source.sha256") files, $mib MiB"
        done
}
