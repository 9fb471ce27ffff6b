// Kafka Connect's own JsonConverter and Jackson beside our sink.
//   SinkValue make SEED COUNT   random values, one a line, in Base64
//   SinkValue check             lines "value in hex,object in hex or -"; exit 1 when an object is
//                               not what Connect would have written
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;

public class SinkValue {
    static final ObjectMapper mapper = new ObjectMapper();

    // --- making ---

    static final String[] names = {
        "index", "unique_id", "title", "description", "poster_name", "follower_count", "tag_list",
        "is_image_or_video", "image_src", "downloaded", "save_location", "category", "ind",
        "timestamp", "latitude", "longitude", "country", "first_name", "last_name", "age"};
    static final String[] numbers = {
        "0", "-0", "-0.0", "1.0", "1e7", "9999999.0", "0.001", "0.00099", "1E5", "1e400", "-1e400",
        "5e-324", "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "0e-5"};
    static final String[] letters = {
        "a", "b", "Z", "_", "0", "9", " ", "\\\"", "\\\\", "\\n", "\\u0001", "\\u00e9", "\u00e9",
        "\u2026", "\u4e2d", "\uD83D\uDE00", "\\ud83d\\ude00", "\\/", "\u00a0", "\\ud800"};

    static String text(Random r, int longest) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = r.nextInt(longest + 1); i > 0; i--) {
            out.append(letters[r.nextInt(letters.length)]);
        }
        return out.append('"').toString();
    }

    static String number(Random r) {
        switch (r.nextInt(5)) {
        case 0: return numbers[r.nextInt(numbers.length)];
        case 1: return Integer.toString(r.nextInt());
        case 2: return Math.round(r.nextDouble() * 36000000 - 18000000) / 1e5 + "";
        case 3: return r.nextInt(200) - 99 + "." + r.nextInt(100000) + "e" + (r.nextInt(700) - 350);
        default: return Integer.toString(r.nextInt(12000));
        }
    }

    static String value(Random r, int depth) {
        int kind = depth == 0 ? r.nextInt(6) : r.nextInt(10);
        StringBuilder out = new StringBuilder();
        if (kind < 2) return number(r);
        if (kind < 4) return text(r, 12);
        if (kind < 6) return new String[] {"null", "true", "false"}[r.nextInt(3)];
        String space = new String[] {"", " ", "\n\t"}[r.nextInt(3)];
        int count = kind < 7 ? r.nextInt(6) : new int[] {1, 5, 12, 13, 14, 24, 25, 30}[r.nextInt(8)];
        out.append(kind < 7 ? '[' : '{').append(space);
        for (int i = 0; i < count; i++) {
            if (i > 0) out.append(',').append(space);
            if (kind >= 7) {
                out.append(r.nextInt(3) > 0 ? '"' + names[r.nextInt(names.length)] + '"' : text(r, 6));
                out.append(':').append(space);
            }
            out.append(value(r, depth - 1));
        }
        return out.append(kind < 7 ? ']' : '}').toString();
    }

    static void make(long seed, int count) {
        Random r = new Random(seed);
        for (int i = 0; i < count; i++) {
            String made = value(r, r.nextInt(5));
            while (made.length() > 10000) made = value(r, 2); // the script reads bodies from their rows
            if (r.nextInt(12) == 0) made += new String[] {" x", "}", ",1", "a"}[r.nextInt(4)];
            if (r.nextInt(20) == 0) made = made.substring(0, r.nextInt(made.length() + 1));
            byte[] bytes = made.getBytes(StandardCharsets.UTF_8);
            System.out.println(Base64.getEncoder().encodeToString(bytes));
        }
    }

    // --- checking ---

    // The file's line; null: the sink skips the record.
    static byte[] expected(JsonConverter converter, byte[] value) throws Exception {
        Object converted;
        try {
            converted = converter.toConnectData("t", value).value();
        } catch (DataException e) {
            return null;
        }
        if (converted == null) return null;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        JsonGenerator writer = mapper.getFactory().createGenerator(out).setRootValueSeparator(null);
        writer.writeObject(converted);
        writer.writeRaw("\n");
        writer.flush();
        return out.toByteArray();
    }

    // The same tokens; doubles by value: a JDK before 19 prints some with other digits.
    static boolean same(byte[] a, byte[] b) throws Exception {
        JsonParser left = mapper.getFactory().createParser(a);
        JsonParser right = mapper.getFactory().createParser(b);
        for (JsonToken token; (token = left.nextToken()) != null;) {
            if (token != right.nextToken()) return false;
            boolean decimal = token == JsonToken.VALUE_NUMBER_FLOAT;
            if (decimal ? left.getDoubleValue() != right.getDoubleValue()
                        : !left.getText().equals(right.getText())) return false;
        }
        return right.nextToken() == null;
    }

    static byte[] unhex(String hex) {
        byte[] out = new byte[hex.length() / 2];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte)Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return out;
    }

    static void check() throws Exception {
        Map<String, Object> config = new HashMap<>();
        config.put("schemas.enable", "false");
        JsonConverter converter = new JsonConverter();
        converter.configure(config, false);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        int checked = 0, skipped = 0, digits = 0;
        for (String line; (line = in.readLine()) != null; checked++) {
            String[] fields = line.split(",");
            byte[] value = unhex(fields[0]);
            byte[] wanted = expected(converter, value);
            byte[] found = fields[1].equals("-") ? null : unhex(fields[1]);
            if (wanted == null && found == null) {
                skipped++;
            } else if (wanted == null || found == null || !Arrays.equals(wanted, found)) {
                if (wanted == null || found == null || !same(wanted, found)) {
                    System.out.println("value   " + new String(value, StandardCharsets.UTF_8));
                    System.out.println("Connect " + (wanted == null ? null : new String(wanted, StandardCharsets.UTF_8)));
                    System.out.println("pinpipe " + (found == null ? null : new String(found, StandardCharsets.UTF_8)));
                    System.exit(1);
                }
                digits++;
            }
        }
        System.out.println(checked + " records, " + skipped + " of them skipped, " + digits + " with other digits of a double");
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("make")) make(Long.parseLong(args[1]), Integer.parseInt(args[2]));
        else check();
    }
}
