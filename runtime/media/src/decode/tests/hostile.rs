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

/// An MP4 file of 100 samples of PCM at 8 kHz, whose index names these bytes `times`.
fn mp4(times: u32) -> Vec<u8> {
    const SAMPLES: u32 = 100;
    let ftyp = atom(b"ftyp", &[b"M4A \0\0\0\0M4A "]);
    let mdat = atom(b"mdat", &[&[7; 2 * SAMPLES as usize]]);
    let place = ftyp.len() as u32 + 8;
    // ISO/IEC 14496-12 section 8: headers that say little, and the tables of the index.
    let entry = atom(
        b"sowt",
        &[&words(&[0, 1, 0, 0, 1 << 16 | 16, 0, 8_000 << 16])],
    );
    let stsd = atom(b"stsd", &[&words(&[0, 1]), &entry]);
    let stts = atom(b"stts", &[&words(&[0, 1, SAMPLES * times, 1])]);
    let stsc = atom(b"stsc", &[&words(&[0, 1, 1, SAMPLES, 1])]);
    let stsz = atom(b"stsz", &[&words(&[0, 2, SAMPLES * times])]);
    let places = vec![place; times as usize];
    let stco = atom(b"stco", &[&words(&[0, times]), &words(&places)]);
    let stbl = atom(b"stbl", &[&stsd, &stts, &stsc, &stsz, &stco]);
    let minf = atom(b"minf", &[&atom(b"smhd", &[&words(&[0, 0])]), &stbl]);
    let hdlr = atom(
        b"hdlr",
        &[&words(&[0, 0]), b"soun", &words(&[0, 0, 0]), b"\0"],
    );
    let mdhd = atom(
        b"mdhd",
        &[&words(&[0, 0, 0, 8_000, SAMPLES * times, 0x55c4_0000])],
    );
    let mdia = atom(b"mdia", &[&mdhd, &hdlr, &minf]);
    let tkhd = atom(
        b"tkhd",
        &[&words(&[7, 0, 0, 1, 0, SAMPLES * times]), &[0; 60]],
    );
    let trak = atom(b"trak", &[&tkhd, &mdia]);
    let mvhd = atom(
        b"mvhd",
        &[&words(&[0, 0, 0, 8_000, SAMPLES * times]), &[0; 80]],
    );
    let moov = atom(b"moov", &[&mvhd, &trak]);
    [ftyp, mdat, moov].concat()
}

#[test]
fn an_index_that_names_the_same_bytes_for_ever_is_given_up() {
    assert_eq!(decode_all(&mp4(1)).map(|samples| samples.len()), Ok(100));
    let again_and_again = mp4(10_000);
    let error = decode_all(&again_and_again).unwrap_err();
    assert_eq!(
        error,
        MediaError::Malformed("its packets never end".to_owned())
    );
}

#[test]
fn what_a_file_may_cost() {
    let limits = DecodeLimits {
        max_bytes: 1_000,
        max_duration: Duration::from_millis(500),
    };
    let spent = |packets: u32, bytes: usize, broken: u32| {
        let mut budget = Budget::new(100, limits);
        budget.broken = broken;
        (0..packets).try_for_each(|_| budget.spend(bytes)).is_ok()
    };
    for (packets, bytes, broken, expected) in [
        (2, 100, 0, true),
        (3, 100, 0, false),
        (1, 201, 0, false),
        (1_500, 0, 0, true),
        (1_501, 0, 0, false),
        (1, 0, 999, true),
        (1, 0, 1_000, false),
    ] {
        assert_eq!(
            spent(packets, bytes, broken),
            expected,
            "{packets} {bytes} {broken}"
        );
    }
}
