/* S3's XML answers, written straight into the reply's body, whose ceiling latches. */
#ifndef PINPIPE_S3_XML_H
#define PINPIPE_S3_XML_H

#include "s3_call.h"

void s3_xml_begin(struct s3_call *call, const char *root); /* declaration, root with xmlns */
void s3_xml_end(struct s3_call *call, const char *root);   /* and Content-Type, status 200 */
void s3_xml_open(struct s3_call *call, const char *name);
void s3_xml_close(struct s3_call *call, const char *name);
void s3_xml_text(struct s3_call *call, const char *name, struct span text); /* escaped */
void s3_xml_bool(struct s3_call *call, const char *name, bool value);       /* "true", "false" */
void s3_xml_number(struct s3_call *call, const char *name, int64_t number);
void s3_xml_etag(struct s3_call *call, struct span etag); /* in &quot; */
void s3_xml_time(struct s3_call *call, const char *name, int64_t ms);
void s3_xml_owner(struct s3_call *call, const char *name); /* Owner, Initiator: its ID */

#endif
