//! Files that are made to cost much.

use super::*;

/// A box of MP4.
fn atom(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    let mut atom = (8 + data.len() as u32).to_be_bytes().to_vec();
    atom.extend(name);
    atom.extend(data);
    atom
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// An MP4 file of PCM at 8 kHz whose index names packets of these sizes.
fn mp4(sizes: &[u32]) -> Vec<u8> {
    let count = sizes.len() as u32;
    let audio = vec![7; sizes.iter().sum::<u32>() as usize];
    let ftyp = atom(b"ftyp", &[b"M4A \0\0\0\0M4A "]);
    let mdat = atom(b"mdat", &[&audio]);
    let place = ftyp.len() as u32 + 8;
    // ISO/IEC 14496-12 section 8: headers that say little, and the tables of the index.
    let entry = atom(
        b"sowt",
        &[&words(&[0, 1, 0, 0, 1 << 16 | 16, 0, 8_000 << 16])],
    );
    let stsd = atom(b"stsd", &[&words(&[0, 1]), &entry]);
    let stts = atom(b"stts", &[&words(&[0, 1, count, 1])]);
    let stsc = atom(b"stsc", &[&words(&[0, 1, 1, count, 1])]);
    let stsz = atom(b"stsz", &[&words(&[0, 0, count]), &words(sizes)]);
    let stco = atom(b"stco", &[&words(&[0, 1, place])]);
    let stbl = atom(b"stbl", &[&stsd, &stts, &stsc, &stsz, &stco]);
    let minf = atom(b"minf", &[&atom(b"smhd", &[&words(&[0, 0])]), &stbl]);
    let hdlr = atom(
        b"hdlr",
        &[&words(&[0, 0]), b"soun", &words(&[0, 0, 0]), b"\0"],
    );
    let mdhd = atom(b"mdhd", &[&words(&[0, 0, 0, 8_000, count, 0x55c4_0000])]);
    let mdia = atom(b"mdia", &[&mdhd, &hdlr, &minf]);
    let tkhd = atom(b"tkhd", &[&words(&[7, 0, 0, 1, 0, count]), &[0; 60]]);
    let trak = atom(b"trak", &[&tkhd, &mdia]);
    let mvhd = atom(b"mvhd", &[&words(&[0, 0, 0, 8_000, count]), &[0; 80]]);
    let moov = atom(b"moov", &[&mvhd, &trak]);
    [ftyp, mdat, moov].concat()
}

#[test]
fn an_index_of_packets_without_audio_is_given_up() {
    let limits = DecodeLimits {
        max_bytes: 1 << 20,
        max_duration: Duration::from_millis(500),
    };
    let decoded = |sizes: &[u32]| decode(&mp4(sizes), None, limits).map(|samples| samples.len());
    assert_eq!(decoded(&[2; 100]), Ok(100));
    let empty = |count| [vec![2; 100], vec![0; count]].concat();
    assert_eq!(decoded(&empty(1_400)), Ok(100));
    let error = MediaError::Malformed("its packets never end".to_owned());
    assert_eq!(decoded(&empty(1_401)), Err(error));
}

#[test]
fn what_is_broken_throughout_is_given_up() {
    let frames_of_zeros = [b"\xff\xf1\x50\x40\x02\x1f\xfc".as_slice(), &[0; 9]].concat();
    let error = decode_all(&frames_of_zeros.repeat(2_000)).unwrap_err();
    assert!(matches!(error, MediaError::Malformed(_)), "{error:?}");
}
